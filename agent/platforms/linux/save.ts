// What survives a reboot of the host: files of commands that the restore script of `prepare` runs, one a line.

import { parsePortName } from '../../../inventory/model.ts'
import { parsePrefix } from '../../../inventory/prefix.ts'
import { type Key, keyOf } from '../../intents.ts'
import { type Answer, type Facts, free, type Line, type Read } from '../../platform.ts'
import type { HeldObject, Save } from '../../platform-save.ts'
import { unknownOutput } from '../output.ts'
import { filterReads, markedElements, readFilters } from './filter.ts'
import { downPorts, linksRead } from './port.ts'
import { markedRoutes, tableReads, vrfFacts } from './routes.ts'
import { runner } from './session.ts'

const folder = '/etc/nullroute/state.d'

/** Reads all that is saved now. */
export const savedFiles = `cat ${folder}/routes ${folder}/elements ${folder}/ports`

/** Time for a save, in ms. */
const saveMs = 60_000

/** Objects are kept as the commands that make them, so a save is a list of them. */
export const save: Save = {
  scope: 'ours',
  kept: {
    saved: free(savedFiles, 'shell'),
    reads: standingReads,
    standing,
  },
  lines: saveLines,
}

function saveLines(held: readonly HeldObject[]): readonly Line[] {
  const commands = [...new Set(held.flatMap(({ wrote }) => wrote))].sort()
  const files = {
    routes: commands.filter(isRoute),
    elements: commands.filter(isElement),
    ports: commands.filter(isPort),
  }
  return Object.entries(files).map(([name, lines]) => {
    const path = `${folder}/${name}`
    // One command, so that a failed step keeps the old file: the new one is on disk before it takes its place. Without -f mv would
    // ask about a file of another owner, and take the line behind it for the answer.
    const steps = `cat >${path}.new <<'EOF' && sync ${path}.new && mv -f ${path}.new ${path} && sync ${folder}`
    const text = [steps, ...lines, 'EOF'].join('\n')
    return { ...free(text, 'shell'), deadlineMs: saveMs }
  })
}

const isRoute = (command: string): boolean => /^(?:-6 )?route /.test(command)
const isElement = (command: string): boolean => command.startsWith('add element ')
const isPort = (command: string): boolean => command.startsWith('link set ')

/** The commands in the files. A file that was never written is not there; any other complaint means that what is in it was not seen. */
function commandsIn(saved: Answer): readonly string[] {
  const lines = saved.text.split('\n').filter((line) => line !== '')
  const complaints = lines.filter((line) => line.startsWith('cat: '))
  if (complaints.some((line) => !line.endsWith(': No such file or directory'))) {
    throw unknownOutput(saved, 'the saved files')
  }
  return lines.filter((line) => !complaints.includes(line))
}

/** Nothing, unless more is saved than is known of. */
function standingReads(saved: Answer, known: ReadonlySet<string>, facts: Facts): readonly Read[] {
  const more = commandsIn(saved).filter((command) => !known.has(command))
  return [
    ...(more.some(isRoute) ? tableReads : []),
    ...(more.some(isElement) ? filterReads(runner(facts)) : []),
    ...(more.some(isPort) ? [linksRead] : []),
  ]
}

/** Of what is saved, what stands on the host, with our mark where there is a place for one: a port has none, and is in the file by nobody but us. */
function standing(saved: Answer, answers: ReadonlyMap<string, Answer>): readonly HeldObject[] {
  const commands = commandsIn(saved)
  const stands = new Map<string, Key>()
  const note = (key: Key, object: readonly string[]): void => {
    for (const command of object) stands.set(command, key)
  }
  const nobody: ReadonlySet<string> = new Set()
  for (const { key, object } of markedRoutes(answers, nobody, vrfFacts(answers))) {
    note(key, object)
  }
  if (answers.has('table|inet')) {
    const filters = readFilters(answers)
    for (const { key, object } of markedElements(filters, nobody)) note(key, object)
    // A table that is not loaded now shows nothing of what a boot would load into it.
    const shown = new Set<string>(filters.tables.map(({ family }) => family))
    for (const command of commands) {
      const element = elementOf(command)
      if (element !== undefined && !shown.has(element.family)) note(element.key, [command])
    }
  }
  for (const [name, object] of downPorts(answers)) {
    const port = parsePortName(name)
    if (port !== undefined) note(keyOf({ kind: 'port', port }), object)
  }
  return commands.flatMap((command) => {
    const key = stands.get(command)
    return key === undefined ? [] : [{ key, wrote: [command] }]
  })
}

function elementOf(command: string): { readonly family: string; readonly key: Key } | undefined {
  const [, family = '', set, text = ''] =
    /^add element (\w+) nullroute (src|dst)[46] \{ (\S+) /.exec(command) ?? []
  const prefix = parsePrefix(text)
  if (set === undefined || !prefix.ok) return undefined
  const direction = set === 'src' ? 'in' : 'out'
  return { family, key: keyOf({ kind: 'acl', prefix: prefix.value, direction }) }
}
