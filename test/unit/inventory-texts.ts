// Inventories for tests: the example ISP, and texts of the test's own.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { platforms } from '../../agent/platforms/index.ts'
import type { Source } from '../../inventory/files.ts'
import { parseInventory } from '../../inventory/load.ts'
import type { Inventory } from '../../inventory/model.ts'
import { printProblem } from '../../inventory/problem.ts'

/** The platforms that the tests' inventories may name. */
export const platformNames = platforms

/** The folder of the example ISP. */
export const exampleFolder = fileURLToPath(new URL('../../inventory/example', import.meta.url))

/** A text as if it had been read from a file. */
export function source(text: string, file = 'isp/inventory.yaml'): Source {
  const sha256 = createHash('sha256').update(text).digest('hex')
  return { file, name: file.slice(file.lastIndexOf('/') + 1), text, sha256 }
}

/** An inventory that must be right. */
export function inventoryOf(...texts: readonly string[]): Inventory {
  return loaded(texts.map((text, index) => source(text, `isp/${index}.yaml`)))
}

/** The example ISP. */
export function exampleInventory(): Inventory {
  const names = readdirSync(exampleFolder).filter((name) => name.endsWith('.yaml'))
  return loaded(
    names
      .sort()
      .map((name) => source(readFileSync(join(exampleFolder, name), 'utf8'), `example/${name}`)),
  )
}

function loaded(sources: readonly Source[]): Inventory {
  const result = parseInventory(sources, platformNames)
  if (!result.ok) throw new Error(result.problems.map(printProblem).join('\n'))
  return result.value
}
