// `audit tail` and `audit search`: reading the audit log through the controller.

import { setTimeout } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { AuditEntryView } from '../api/schema.ts'
import { type Client, createClient } from './client.ts'
import { type Context, say, sayJson } from './context.ts'
import { examples, parseCount, parseTime } from './options.ts'
import { type Style, status, styleFor, time } from './print.ts'

interface TailOptions {
  readonly follow?: boolean
  readonly lines: number
  readonly json?: boolean
}

interface SearchOptions {
  readonly actor?: string
  readonly action?: string
  readonly customer?: string
  readonly device?: string
  readonly enforcement?: string
  readonly from?: string
  readonly to?: string
  readonly text?: string
  readonly limit: number
  readonly json?: boolean
}

/** Adds them to the group `audit`. */
export function register(
  _program: Command,
  context: Context,
  { audit }: { readonly audit: Command },
): void {
  const tail = audit
    .command('tail')
    .description('the last entries of the audit log, oldest first')
    .option('-f, --follow', 'go on with what is added, until Ctrl-C')
    .addOption(
      new Option('-n, --lines <count>', 'how many').argParser(parseCount(10_000)).default(20),
    )
    .option('--json', 'each entry as JSON, one line each')
    .action(async (options: TailOptions) => {
      await runTail(context, options)
    })
  examples(tail, [
    ['nullroute audit tail', 'the last 20 entries'],
    ['nullroute audit tail -f -n 100', 'the last 100, then each new one'],
  ])
  const search = audit
    .command('search')
    .description('search the audit log, newest first; all that is given must hold')
    .option('--actor <id>', 'who did it')
    .option('--action <type>', 'type of record, such as enforcement.requested')
    .option('--customer <id>', 'about this customer')
    .option('--device <id>', 'about this device')
    .option('--enforcement <id>', 'about this enforcement')
    .addOption(new Option('--from <time>', 'not before').argParser(parseTime))
    .addOption(new Option('--to <time>', 'not after').argParser(parseTime))
    .option('--text <text>', 'holds this text')
    .addOption(
      new Option('--limit <count>', 'how many').argParser(parseCount(100_000)).default(100),
    )
    .action(async (options: SearchOptions) => {
      const { limit, json, ...query } = options
      const items = await createClient(context).list<AuditEntryView>('/v1/audit', query, limit)
      if (json === true) sayJson(context, { items })
      else printAll(context, items)
    })
  examples(search, [
    ['nullroute audit search --customer esthost --from 2026-11-01', 'what was done to a customer'],
    [
      'nullroute audit search --action device.commands_intended --device edge1.ams --json',
      'what was sent to a device',
    ],
  ])
}

/** How often a tail asks for more, in ms. */
const followMs = 1_000
/** A cursor behind every entry. Reading on by cursor belongs to the search that was logged with its first page: asked without one, each look would add an entry that the next one shows. */
const newest = '999999999999999'
const pageMax = 200

async function runTail(context: Context, options: TailOptions): Promise<void> {
  const client = createClient(context)
  const first = await client.list<AuditEntryView>('/v1/audit', {}, options.lines)
  const tell = (entries: readonly AuditEntryView[]): void => {
    const oldestFirst = entries.toReversed()
    if (options.json === true) {
      for (const entry of oldestFirst) say(context, JSON.stringify(entry))
    } else printAll(context, oldestFirst)
  }
  tell(first)
  if (options.follow !== true) return
  let last = first[0]?.seq ?? -1
  while (!context.signal.aborted) {
    // Ends early on Ctrl-C, which is how a tail ends.
    await setTimeout(followMs, undefined, { signal: context.signal }).catch(() => undefined)
    if (context.signal.aborted) return
    const added = await entriesAfter(client, last).catch((fault: unknown) => {
      if (context.signal.aborted) return []
      throw fault
    })
    tell(added)
    last = added[0]?.seq ?? last
  }
}

async function entriesAfter(client: Client, last: number): Promise<readonly AuditEntryView[]> {
  const found: AuditEntryView[] = []
  let cursor: string | undefined = newest
  while (cursor !== undefined) {
    const page: { readonly items: readonly AuditEntryView[]; readonly nextCursor?: string } =
      await client.get('/v1/audit', { cursor, limit: String(pageMax) })
    const fresh = page.items.filter(({ seq }) => seq > last)
    found.push(...fresh)
    cursor = fresh.length < page.items.length ? undefined : page.nextCursor
  }
  return found
}

function printAll(context: Context, entries: readonly AuditEntryView[]): void {
  const style = styleFor(context.stdout, context.environment)
  for (const entry of entries) say(context, printEntry(style, entry))
}

/** One entry on one line. Pure. */
function printEntry(style: Style, entry: AuditEntryView): string {
  const { colours } = style
  const actor = entry.actor.name ?? entry.actor.id
  const on = Object.entries(entry.on)
    .map(([what, id]) => `${what} ${id}`)
    .join(', ')
  const outcome = entry.outcome === 'ok' ? '' : ` ${status(style, entry.outcome)}`
  const seq = colours.dim(String(entry.seq).padStart(6))
  const data = JSON.stringify(entry.data)
  const more =
    data === '{}'
      ? ''
      : ` ${colours.dim(data.length > dataMax ? `${data.slice(0, dataMax)}…` : data)}`
  return `${seq} ${time(entry.time)} ${colours.bold(entry.type)}${outcome} by ${actor}${on === '' ? '' : ` on ${on}`}${more}`
}

/** How much of an entry's data stands on its line, in characters; --json has all of it. */
const dataMax = 160
