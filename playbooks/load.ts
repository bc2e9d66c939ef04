// A folder of playbooks → each by its name, or every problem with file, line and column: the same quality of errors as the inventory's.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readSources, type Source } from '../inventory/files.ts'
import { compareProblems, type LoadResult, type Problem } from '../inventory/problem.ts'
import { shape } from '../inventory/shape.ts'
import { parseYaml } from '../inventory/yaml.ts'
import type { Playbook } from './model.ts'
import { PlaybookFile, toPlaybook } from './schema.ts'

export { playbookSchemaJson } from './schema.ts'

/** Reads a playbook or a folder of them; undefined means those that come with the product. */
export async function loadPlaybooks(
  path: string | undefined,
): Promise<LoadResult<ReadonlyMap<string, Playbook>>> {
  const { sources, problems } = await readSources(path ?? shippedPlaybooks(), 'playbooks')
  return parsePlaybooks(sources, problems)
}

/** The folder of the shipped playbooks. */
export function shippedPlaybooks(): string {
  // Beside this file in the source tree; compiled code is two folders deeper than the package's own.
  const places = ['./library', '../../playbooks/library'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  )
  return (
    places.find((place) => existsSync(place)) ??
    fileURLToPath(new URL('./library', import.meta.url))
  )
}

/** The same from texts, without I/O. `before`: problems of reading them. */
export function parsePlaybooks(
  sources: readonly Source[],
  before: readonly Problem[] = [],
): LoadResult<ReadonlyMap<string, Playbook>> {
  const problems: Problem[] = [...before]
  const warnings: Problem[] = []
  const playbooks = new Map<string, Playbook>()
  const files = new Map<string, string>()
  for (const source of sources) {
    const tree = parseYaml(source.file, source.text)
    const shaped = shape(tree, { schema: PlaybookFile })
    warnings.push(...tree.warnings)
    problems.push(...tree.problems)
    if (tree.value !== undefined || tree.problems.length === 0) problems.push(...shaped.problems)
    if (shaped.value === undefined) continue
    const playbook = toPlaybook(shaped.value, source.sha256)
    const first = files.get(playbook.name)
    if (first !== undefined) {
      problems.push(
        shaped.problem(['name'], {
          message: `a playbook "${playbook.name}" is there already: ${first}`,
          found: playbook.name,
          expected: 'a name of its own',
          remedy: 'rename one of the two',
        }),
      )
    }
    files.set(playbook.name, source.file)
    playbooks.set(playbook.name, playbook)
  }
  return problems.length > 0
    ? { ok: false, problems: problems.sort(compareProblems) }
    : { ok: true, value: playbooks, warnings: warnings.sort(compareProblems) }
}
