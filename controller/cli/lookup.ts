// `lookup`: who has this address, the abuse desk's first question.

import type { Command } from 'commander'
import type { EnforcementReference, LookupView } from '../api/schema.ts'
import { createClient } from './client.ts'
import { type Context, commandLine, say, sayJson } from './context.ts'
import { examples } from './options.ts'
import { fields, indent, moment, type Style, status, styleFor } from './print.ts'

/** Adds `lookup`. */
export function register(program: Command, context: Context): void {
  const lookup = program
    .command('lookup')
    .description('who has this address, where it is, what is in force on it')
    .argument('<address>', 'an IPv4 or IPv6 address')
    .action(async (address: string, options: { json?: boolean }) => {
      const view = await createClient(context).get<LookupView>('/v1/lookup', { ip: address })
      if (options.json === true) {
        sayJson(context, view)
        return
      }
      const style = styleFor(context.stdout, context.environment)
      say(context, printLookup(style, view, new Date()))
      if (view.customer !== undefined && view.enforcements.length === 0) {
        const words = [
          'suspend',
          view.customer.id,
          '--category',
          'CATEGORY',
          '--summary',
          'WHY',
          '--dry-run',
        ]
        say(context, `\nwhat cutting them off would do: ${commandLine(context, words)}`)
      }
    })
  examples(lookup, [
    ['nullroute lookup 203.0.113.10', 'an address in a report'],
    ['nullroute lookup 2001:db8:e57::25 --json', 'for a script; of nobody, `customer` is absent'],
  ])
}

/** An address: whose, where, and what is in force on it. Pure. */
export function printLookup(style: Style, view: LookupView, now: Date): string {
  const { customer } = view
  const whose =
    customer === undefined
      ? 'nobody’s: no customer in the inventory has it'
      : `${customer.name} (${customer.id})${customer.asn === undefined ? '' : `, AS${customer.asn}`}`
  const rows: [string, string | undefined][] = [
    ['customer', whose],
    ['prefix', view.prefix],
    ['ports', places(view.ports.map((port) => ({ ...port, name: port.interface })))],
    ['neighbors', places(view.neighbors.map((one) => ({ ...one, name: one.address })))],
    ['protected', lines(view.protected.map(({ prefix, why }) => `${prefix}: ${why}`))],
    ['never cut', lines(view.neverCut)],
    ['in force', inForce(style, view.enforcements, now)],
  ]
  return `${style.colours.bold(view.address)}\n${indent(fields(style, rows))}`
}

function places(
  all: readonly {
    readonly device: string
    readonly name: string
    readonly site?: string | undefined
  }[],
): string | undefined {
  return lines(
    all.map(
      ({ device, name, site }) => `${device}:${name}${site === undefined ? '' : ` (${site})`}`,
    ),
  )
}

function lines(all: readonly string[]): string | undefined {
  return all.length === 0 ? undefined : all.join('\n')
}

function inForce(style: Style, all: readonly EnforcementReference[], now: Date): string {
  if (all.length === 0) return 'nothing'
  return all
    .map(({ id, action, status: state, expiresAt }) => {
      const ends = expiresAt === undefined ? '' : `, ends ${moment(expiresAt, now)}`
      return `${action} ${status(style, state)} ${style.colours.dim(id)}${ends}`
    })
    .join('\n')
}
