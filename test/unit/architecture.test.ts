// The table of import directions, as a test: who may import what of ours. Change it and docs together.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const folders = ['agent', 'controller', 'inventory', 'playbooks', 'test']

/** The pure half of the agent: what a platform is made of. */
const platforms = [
  'agent/platform.ts',
  'agent/platform-save.ts',
  'agent/platforms',
  'agent/diff.ts',
  'agent/elements.ts',
  'agent/refusals.ts',
  'agent/intents.ts',
  'agent/errors.ts',
]
/** What the parts of the controller that decide share: no I/O, and no part of the agent that has any. */
const pureController = [
  'controller/plan.ts',
  'controller/enforcement.ts',
  'controller/errors.ts',
  'controller/digest.ts',
  'controller/blast-radius.ts',
  'controller/hour.ts',
  'controller/tally.ts',
  'controller/usage.ts',
  'controller/audit/canonical.ts',
  'controller/audit/record.ts',
  'controller/audit/canonical.ts',
]
const deciding = ['inventory', 'playbooks', ...platforms, ...pureController]
const agentPorts = ['agent/clock.ts', 'agent/journal.ts']
const controllerParts = ['controller', 'playbooks', 'inventory', ...platforms, ...agentPorts]

const storeParts = [
  'controller/store',
  'controller/audit',
  'controller/plan.ts',
  'controller/enforcement.ts',
  'controller/hour.ts',
  'controller/tally.ts',
  'controller/errors.ts',
  'inventory',
  'playbooks/model.ts',
  ...platforms,
  ...agentPorts,
]

/** From a file or folder (longest path first) to the files and folders that it may import from. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  inventory: ['inventory'],
  agent: ['agent', 'inventory'],
  'agent/intents.ts': ['inventory'],
  'agent/platform.ts': ['inventory', ...platforms],
  'agent/platform-save.ts': ['inventory', ...platforms],
  'agent/platforms': ['inventory', ...platforms],
  'agent/diff.ts': ['inventory', ...platforms],
  'agent/elements.ts': ['inventory', ...platforms],
  'agent/refusals.ts': ['inventory', ...platforms],
  'agent/errors.ts': [],
  playbooks: ['playbooks', 'inventory', 'agent/intents.ts'],
  controller: controllerParts,
  'controller/guards.ts': deciding,
  'controller/plan.ts': deciding,
  'controller/enforcement.ts': deciding,
  'controller/digest.ts': deciding,
  'controller/blast-radius.ts': deciding,
  'controller/audit/canonical.ts': [],
  'controller/audit/record.ts': deciding,
  // The store keeps what the deciding parts made, and hands it out: their types, none of their doings.
  'controller/store': storeParts,
  // What was accepted is digested anew, to be held against the log.
  'controller/store/verify-facts.ts': [
    ...storeParts,
    'controller/digest.ts',
    'playbooks/message.ts',
  ],
  'controller/console': ['controller/console', 'controller/api/schema'],
  // Where agents are made, and where the one that the fleet hands out is asked.
  'controller/fleet.ts': [...controllerParts, 'agent'],
  'controller/main.ts': [...controllerParts, 'agent'],
  'controller/cli': [...controllerParts, 'agent'],
  'controller/desk/devices.ts': [...controllerParts, 'agent/agent.ts'],
  test: folders,
}

interface Import {
  readonly from: string
  readonly to: string
}

function sourceFiles(): readonly string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/')),
    )
    .sort()
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  // Statements, re-exports and dynamic imports; a name in a comment or text has no quotes behind `from`.
  const names = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*['"](\.{1,2}\/[^'"]+)['"]/g)]
  return names.map(([, name = '']) => ({
    from: file,
    to: posix.normalize(posix.join(posix.dirname(file), name)),
  }))
}

function under(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`)
}

/** The longest place of the table that the file is under. */
function ruleOf(file: string): string | undefined {
  return Object.keys(mayImport)
    .filter((place) => under(file, place))
    .sort((one, other) => other.length - one.length)[0]
}

function problemsOf({ from, to }: Import): readonly string[] {
  const rule = ruleOf(from)
  if (rule === undefined) return [`${from}: no rule says what it may import`]
  const allowed = mayImport[rule]?.some((place) => under(to, place)) ?? false
  return allowed ? [] : [`${from} imports ${to}: ${rule} may not`]
}

describe('import directions', () => {
  const files = sourceFiles()
  const imports = files.flatMap(importsOf)

  it('reads every source file, and finds imports in them', ({ annotate }) => {
    const places = folders.filter((folder) => !files.some((file) => under(file, folder)))

    expect(places).toEqual([])
    expect(imports.length).toBeGreaterThan(files.length / 2)
    return annotate(`${files.length} files, ${imports.length} imports of our own`)
  })

  it('go only the way of the table', () => {
    expect(imports.flatMap(problemsOf)).toEqual([])
  })

  it('never lead into test/', () => {
    const bad = imports.filter(({ from, to }) => !under(from, 'test') && under(to, 'test'))

    expect(bad).toEqual([])
  })

  it('lead to files that exist, by their own name', () => {
    const known = new Set(files)
    const bad = imports.filter(({ to }) => !known.has(to) && !/\.(json|css|html)$/.test(to))

    expect(bad).toEqual([])
  })

  it.each([
    ['inventory/load.ts', 'agent/intents.ts'],
    ['playbooks/compile.ts', 'agent/platform.ts'],
    ['agent/converge.ts', 'controller/plan.ts'],
    ['agent/platforms/frr.ts', 'agent/session.ts'],
    ['controller/guards.ts', 'agent/session.ts'],
    ['controller/console/main.tsx', 'controller/store/store.ts'],
    ['controller/plan.ts', 'test/simulator/main.ts'],
  ])('would refuse %s importing %s', (from, to) => {
    expect(problemsOf({ from, to })).toHaveLength(1)
  })
})
