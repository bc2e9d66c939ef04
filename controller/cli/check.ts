// `nullroute inventory check` and `nullroute playbook check`: every problem at once with its place, or what was read.

import { platforms } from '../../agent/platforms/index.ts'
import { inventorySchemaJson, loadInventory } from '../../inventory/load.ts'
import type { Inventory } from '../../inventory/model.ts'
import { type LoadResult, type Problem, printProblem } from '../../inventory/problem.ts'
import { loadPlaybooks, playbookSchemaJson } from '../../playbooks/load.ts'
import { type Context, exitCodes, remark, say, sayJson } from './context.ts'
import { count } from './print.ts'

/** What both checks are told. */
export interface CheckOptions {
  /** Print the JSON Schema of the files and check nothing. */
  readonly schema?: boolean
  readonly json?: boolean
}

/** Checks an inventory. Exit code 0 when it can be used, 1 with its problems. */
export async function checkInventory(
  context: Context,
  path: string,
  options: CheckOptions,
): Promise<number> {
  if (options.schema === true) return printSchema(context, inventorySchemaJson())
  const loaded = await loadInventory(path, platforms)
  return report(context, { path, loaded, options, summary: inventorySummary })
}

/** Checks playbooks; without a path those that come with nullroute. Exit code 0 when they can be used, 1 with their problems. */
export async function checkPlaybooks(
  context: Context,
  path: string | undefined,
  options: CheckOptions,
): Promise<number> {
  if (options.schema === true) return printSchema(context, playbookSchemaJson())
  const loaded = await loadPlaybooks(path)
  return report(context, {
    path: path ?? 'the shipped playbooks',
    loaded,
    options,
    summary: (playbooks) => ({
      text: `${count(playbooks.size, 'playbook')} (${[...playbooks.keys()].sort().join(', ')})`,
      data: { playbooks: [...playbooks.keys()].sort() },
    }),
  })
}

interface Summary {
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
}

function report<T>(
  context: Context,
  about: {
    readonly path: string
    readonly loaded: LoadResult<T>
    readonly options: CheckOptions
    readonly summary: (value: T) => Summary
  },
): number {
  const { path, loaded, options } = about
  const problems = loaded.ok ? [] : loaded.problems
  const warnings = loaded.ok ? loaded.warnings : []
  const summary = loaded.ok ? about.summary(loaded.value) : undefined
  const exit = loaded.ok ? exitCodes.done : exitCodes.refused
  if (options.json === true) {
    sayJson(context, { ok: loaded.ok, problems, warnings, ...summary?.data })
    return exit
  }
  for (const problem of [...problems, ...warnings]) remark(context, printProblem(problem))
  if (summary === undefined) {
    remark(
      context,
      `\n${path}: ${count(problems.length, 'problem')}, nothing of it is used until there is none`,
    )
    return exit
  }
  say(context, `${path} is right: ${summary.text}${worth(warnings)}`)
  return exit
}

function worth(warnings: readonly Problem[]): string {
  return warnings.length === 0 ? '' : `; ${count(warnings.length, 'thing')} worth knowing above`
}

function inventorySummary(inventory: Inventory): Summary {
  const { devices, customers, jumps, protected: spaces } = inventory
  return {
    text: [
      count(devices.size, 'device'),
      count(customers.size, 'customer'),
      count(jumps.size, 'jump host'),
      count(spaces.length, 'protected prefix', 'protected prefixes'),
    ].join(', '),
    data: {
      devices: [...devices.keys()],
      customers: [...customers.keys()],
      files: inventory.files,
    },
  }
}

function printSchema(context: Context, schema: unknown): number {
  sayJson(context, schema)
  return exitCodes.done
}
