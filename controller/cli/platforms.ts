// `nullroute platforms`: what each supported system can do, asked of the platform itself.

import { type Intent, parseCliText } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { parsePortName } from '../../inventory/model.ts'
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../inventory/prefix.ts'
import { type Context, say, sayJson } from './context.ts'
import { styleFor, table } from './print.ts'

/** What one platform can do, as `--json` prints it. */
interface PlatformView {
  readonly name: string
  readonly measures: readonly {
    readonly measure: string
    readonly supported: boolean
    readonly reason?: string
  }[]
  readonly limits: readonly string[]
  readonly transaction: string
  readonly save: boolean
  readonly source: string
}

/** Prints all platforms; exit code 0. */
export function listPlatforms(context: Context, options: { readonly json?: boolean }): number {
  const views = [...platforms.values()].map(viewOf)
  if (options.json === true) {
    sayJson(context, views)
    return 0
  }
  const style = styleFor(context.stdout, context.environment)
  const measures = views[0]?.measures.map(({ measure }) => measure) ?? []
  const yes = (supported: boolean) =>
    supported ? style.colours.green('yes') : style.colours.yellow('no')
  say(
    context,
    table(
      style,
      ['PLATFORM', ...measures.map((one) => one.toUpperCase()), 'A CHANGE'],
      views.map((view) => [
        view.name,
        ...view.measures.map(({ supported }) => yes(supported)),
        view.transaction,
      ]),
    ),
  )
  for (const view of views) {
    say(context, `\n${style.colours.bold(view.name)}`)
    for (const limit of view.limits) say(context, `  limit   ${limit}`)
    say(context, `  source  ${view.source}`)
  }
  return 0
}

function viewOf(platform: Platform): PlatformView {
  return {
    name: platform.name,
    measures: probes.map(({ measure, intent }) => {
      const [rendering] = platform.render([{ kind: 'apply', intent }], {})
      return rendering?.kind === 'unsupported'
        ? { measure, supported: false, reason: rendering.reason }
        : { measure, supported: true }
    }),
    limits: platform.limits.map(({ kind, reason }) => `${kind}: ${reason}`),
    transaction: transactionText(platform.transaction),
    save: platform.save !== undefined,
    source: platform.source,
  }
}

function transactionText(transaction: Platform['transaction']): string {
  if (transaction.kind === 'line') return 'line by line, each live when typed'
  switch (transaction.timer?.undoes) {
    case 'commit':
      return 'candidate, confirmed after the read-back'
    case 'configuration':
      return 'candidate, for good; with deviceTimer confirmed after the read-back'
    case undefined:
      return 'candidate, for good'
  }
}

const probes: readonly { readonly measure: string; readonly intent: Intent }[] = [
  {
    measure: 'blackhole IPv4',
    intent: { kind: 'blackhole', vrf: 'default', prefix: prefix('192.0.2.1/32'), tag: 666 },
  },
  {
    measure: 'blackhole IPv6',
    intent: { kind: 'blackhole', vrf: 'default', prefix: prefix('2001:db8::1/128'), tag: 666 },
  },
  { measure: 'acl IPv4', intent: { kind: 'acl', prefix: prefix('192.0.2.1/32'), direction: 'in' } },
  {
    measure: 'acl IPv6',
    intent: { kind: 'acl', prefix: prefix('2001:db8::1/128'), direction: 'in' },
  },
  { measure: 'port', intent: { kind: 'port', port: known(parsePortName('eth1'), 'eth1') } },
  {
    measure: 'neighbor',
    intent: {
      kind: 'neighbor',
      vrf: 'default',
      peer: address('192.0.2.1'),
      message: known(parseCliText('probe'), 'probe'),
    },
  },
]

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  return known(parsed.ok ? parsed.value : undefined, text)
}

function address(text: string): Address {
  const parsed = parseAddress(text)
  return known(parsed.ok ? parsed.value : undefined, text)
}

function known<T>(value: T | undefined, text: string): T {
  if (value === undefined) throw new TypeError(`${text} is written wrong here`)
  return value
}
