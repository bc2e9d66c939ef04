// One vtysh session: nodes and their parents, transactions over static routes, and the lines of `exec`.

import { type Block, expand, filterLines, typedPattern } from '../blocks.ts'
import { dispatch } from '../dispatch.ts'
import type { ModelSession, Result, SessionTerminal } from '../model.ts'
import { copyConfig, type FrrConfig, type Static } from './config.ts'
import {
  configLine,
  familyLine,
  interfaceLine,
  type LineResult,
  parseStatic,
  routerLine,
} from './lines.ts'
import { show } from './show.ts'
import { absentRoute, editStatics, type FrrState, hasCandidate, validationError } from './state.ts'

/** Where a session is. */
export type Node =
  | { readonly mode: 'view' | 'exec' | 'config' }
  | { readonly mode: 'config-if'; readonly name: string }
  | { readonly mode: 'config-vrf'; readonly vrf: string }
  | { readonly mode: 'config-router'; readonly vrf: string }
  | { readonly mode: 'config-router-af'; readonly vrf: string; readonly family: string }
  | { readonly mode: 'config-route-map'; readonly block: Block }

interface Pending {
  readonly line: string
  readonly route: Static
  readonly remove: boolean
}

const commands = [
  'configure terminal',
  'show running-config',
  'show interface',
  'show version',
  'show ip route',
  'show ipv6 route',
  'show bgp',
  'write memory',
  'terminal length',
  'exit',
  'end',
]

const ok: Result = { text: '' }

/** Opens a session on this router. */
export function openFrr(state: FrrState, terminal: SessionTerminal): ModelSession {
  let node: Node = { mode: 'exec' }
  let paginate = false
  /** Lines between the batch words. */
  let batch: Pending[] | undefined
  /** What `file-lock` edits, until it is applied. */
  let candidate: FrrConfig | undefined

  const target = (): FrrConfig => candidate ?? state.config
  const unknown = (line: string): string => `% Unknown command: ${line}\n`

  function leaveConfig(): string {
    const printed = flush('end')
    candidate = undefined
    if (state.lockedBy === terminal.number) state.lockedBy = undefined
    node = { mode: 'exec' }
    return printed
  }

  /** Commits the batch: all of it, or nothing. `words` says how loud a failure is. */
  function flush(words: 'end' | 'quiet'): string {
    const lines = batch ?? []
    if (batch !== undefined) batch = []
    let statics: readonly Static[] = state.config.statics
    for (const one of lines) {
      const edited = editStatics(statics, one)
      if ('conflict' in edited) {
        const list = lines.map(({ line }) => `- ${line}`).join('')
        if (words === 'quiet') return list
        return `${validationError(state, edited.conflict)}The following commands were dynamically grouped into the same transaction and rejected:\n${list}`
      }
      if ('statics' in edited) statics = edited.statics
    }
    if (lines.length > 0) {
      state.config.statics = [...statics]
      state.changed()
    }
    return ''
  }

  function staticLine(line: string, nodeVrf: string): LineResult | undefined {
    const remove = line.startsWith('no ')
    const route = parseStatic(line.replace(/^no /, ''), nodeVrf)
    if (route === undefined) return undefined
    if (route === 'incomplete') return { print: `% Command incomplete: ${line}\n` }
    if (batch !== undefined) return batchLine(line, route, remove)
    const held = heldElsewhere()
    if (held !== undefined) return { print: held }
    const edited = editStatics(target().statics, { route, remove })
    if ('absent' in edited) return { print: `${absentRoute}\n` }
    if ('conflict' in edited && candidate === undefined) {
      return { print: validationError(state, edited.conflict) }
    }
    // In a candidate the conflict shows at the check, not before.
    target().statics = 'statics' in edited ? edited.statics : [...target().statics, route]
    if (candidate === undefined) state.changed()
    return { print: remove ? '' : vrfWarning(route) }
  }

  function vrfWarning({ vrf, prefix }: Static): string {
    return hasCandidate(state) || vrfExists(vrf)
      ? ''
      : `Static Route to ${prefix} not installed currently because dependent config not fully available\n`
  }

  function vrfExists(vrf: string): boolean {
    return vrf === 'default' || state.config.vrfs.includes(vrf)
  }

  function batchLine(line: string, route: Static, remove: boolean): LineResult {
    if (hasCandidate(state)) {
      return { print: '% Configuration failed.\n\nCandidate DS is not locked\n' }
    }
    const here = [...state.config.statics, ...(batch ?? []).map((one) => one.route)]
    if (remove && 'absent' in editStatics(here, { route, remove })) {
      return { print: `${absentRoute}\n` }
    }
    batch?.push({ line, route, remove })
    return { print: '' }
  }

  function heldElsewhere(): string | undefined {
    const free = state.lockedBy === undefined || state.lockedBy === terminal.number
    return free || !hasCandidate(state)
      ? undefined
      : '% command failed, could not lock candidate DS\n'
  }

  function inConfig(line: string): LineResult | undefined {
    if (line === 'XFRR_start_configuration') {
      batch ??= []
      return { print: '' }
    }
    if (line === 'XFRR_end_configuration') {
      if (hasCandidate(state)) {
        batch = undefined
        return {
          print: '% Configuration failed.\n\nCommit requires lock on candidate and/or running DS\n',
        }
      }
      const printed = flush('end')
      batch = undefined
      return { print: printed }
    }
    if (hasCandidate(state) && line.startsWith('mgmt commit ')) return mgmt(line)
    const route = staticLine(line, 'default')
    if (route !== undefined) return route
    const result = configLine(state, target(), line)
    if (result === undefined) return undefined
    // A line of another daemon commits what is pending.
    const flushed = flush('quiet')
    return flushed === '' || 'enter' in result ? result : { print: flushed + result.print }
  }

  function mgmt(line: string): LineResult | undefined {
    const verb = line.slice('mgmt commit '.length)
    if (!/^(?:check|apply|abort)$/.test(verb)) return undefined
    if (candidate === undefined) {
      return {
        print: '% Configuration failed.\n\nCommit requires lock on candidate and/or running DS\n',
      }
    }
    if (verb === 'abort') {
      candidate = copyConfig(state.config)
      return { print: '' }
    }
    let rest: readonly Static[] = []
    for (const route of candidate.statics) {
      const edited = editStatics(rest, { route, remove: false })
      if ('conflict' in edited) return { print: validationError(state, edited.conflict) }
      if ('statics' in edited) rest = edited.statics
    }
    if (verb === 'apply') {
      state.config.statics = [...candidate.statics]
      state.config.interfaces = copyConfig(candidate).interfaces
      state.changed()
    }
    return { print: '' }
  }

  function inNode(at: Node, line: string): LineResult | undefined {
    switch (at.mode) {
      case 'view':
      case 'exec':
        return undefined
      case 'config':
        return inConfig(line)
      case 'config-if':
        return changing(interfaceLine(target(), at.name, line), true)
      case 'config-vrf':
        if (line === 'exit-vrf') return { enter: { mode: 'config' } }
        return staticLine(line, at.vrf)
      case 'config-router':
        return changing(routerLine(state, at.vrf, line), false)
      case 'config-router-af':
        if (line === 'exit-address-family') return { enter: { mode: 'config-router', vrf: at.vrf } }
        return changing(familyLine(state, at.vrf, at.family, line), false)
      case 'config-route-map':
        if (!/^(?:no )?(?:match|set|on-match|call|description) ?/.test(line)) return undefined
        return mapLine(at.block, line)
    }
  }

  function changing(result: LineResult | undefined, lockable: boolean): LineResult | undefined {
    if (result === undefined) return undefined
    if (lockable && heldElsewhere() !== undefined) return { print: heldElsewhere() ?? '' }
    state.changed()
    return result
  }

  function mapLine(map: Block, line: string): LineResult {
    const positive = line.replace(/^no /, '')
    const same = map.children.findIndex(({ text }) => text === positive)
    if (same >= 0) map.children.splice(same, 1)
    if (!line.startsWith('no ')) map.children.push({ text: line, children: [] })
    state.changed()
    return { print: '' }
  }

  function parentOf(at: Node): Node | undefined {
    switch (at.mode) {
      case 'view':
      case 'exec':
      case 'config':
        return undefined
      case 'config-router-af':
        return { mode: 'config-router', vrf: at.vrf }
      case 'config-if':
      case 'config-vrf':
      case 'config-router':
      case 'config-route-map':
        return { mode: 'config' }
    }
  }

  /** Tries the node, then each parent; the prompt moves to where the line was known. */
  function configure(line: string): Result {
    if (line === 'end') return { text: leaveConfig() }
    if (line === 'exit' || line === 'quit') {
      const parent = parentOf(node)
      if (parent === undefined) return { text: leaveConfig() }
      node = parent
      return ok
    }
    if (line.startsWith('do ')) {
      const flushed = flush('quiet')
      const result = exec(line.slice(3))
      return { ...result, text: flushed + result.text }
    }
    for (let at: Node | undefined = node; at !== undefined; at = parentOf(at)) {
      const result = inNode(at, line)
      if (result !== undefined) {
        node = 'enter' in result ? result.enter : at
        return { text: 'print' in result ? result.print : '' }
      }
    }
    return { text: unknown(line) }
  }

  function exec(typed: string): Result {
    const line = expand(typed, commands)
    const move = (mode: 'view' | 'exec'): Result => {
      node = { mode }
      return ok
    }
    const known = dispatch<Result>(line, [
      [/^(?:exit|quit)$/, () => ({ text: '', close: true })],
      [/^configure(?: terminal)?$/, enterConfig],
      [/^configure terminal file-lock$/, () => enterLocked(typed)],
      [/^(?:write(?: memory| file)?|copy running-config startup-config)$/, save],
      [
        /^(no )?terminal paginate$/,
        ([, no]) => {
          paginate = no === undefined
          return ok
        },
      ],
      [/^(?:terminal (?:length \d+|width \d+|no length)|(?:no )?terminal monitor)$/, () => ok],
      [/^disable$/, () => move('view')],
      [/^enable$/, () => move('exec')],
    ])
    return known ?? { text: show(state, line) ?? unknown(typed) }
  }

  function enterConfig(): Result {
    node = { mode: 'config' }
    return ok
  }

  function enterLocked(typed: string): Result {
    if (!hasCandidate(state)) return { text: unknown(typed) }
    if (state.lockedBy !== undefined && state.lockedBy !== terminal.number) {
      return { text: "% Can't enter config; candidate datastore locked by another session\n" }
    }
    state.lockedBy = terminal.number
    candidate = copyConfig(state.config)
    return enterConfig()
  }

  function save(): Result {
    const head = 'Note: this version of vtysh never writes vtysh.conf\n'
    if (state.saveRefusal !== undefined) {
      const file = '/etc/frr/frr.conf'
      const refused =
        state.saveRefusal || `% Error: failed to open configuration file ${file}: Permission denied`
      return {
        text: `${head}\nWarning: attempting direct configuration write without watchfrr.\nFile permissions and ownership may be incorrect, or write may fail.\n\nBuilding Configuration...\n${refused}\n`,
      }
    }
    state.saved = copyConfig(state.config)
    return {
      text: `${head}Building Configuration...\nIntegrated configuration saved to /etc/frr/frr.conf\n[OK]\n`,
    }
  }

  /** `show … | include X`; any other word behind the bar is refused, and the line with it. */
  function piped(line: string, run: (line: string) => Result): Result {
    const bar = line.indexOf('|')
    if (bar < 0) return run(line)
    const [action = '', ...rest] = line
      .slice(bar + 1)
      .trim()
      .split(' ')
    if (action !== 'include') return { text: `% Unknown action '${action}'\n` }
    const pattern = typedPattern(rest.join(' '))
    if (pattern === undefined) return { text: `% Bad regexp '${rest.join(' ')}'\n` }
    const result = run(line.slice(0, bar).trim())
    return { ...result, text: filterLines(result.text, (one) => pattern.test(one)) }
  }

  return {
    greeting: `\nHello, this is FRRouting (version ${state.version}).\nCopyright 1996-2005 Kunihiro Ishiguro, et al.\n\n`,
    prompt() {
      const name = state.config.hostname
      if (node.mode === 'view') return `${name}> `
      return node.mode === 'exec' ? `${name}# ` : `${name}(${node.mode})# `
    },
    mode: () => node.mode,
    echo: () => 'readline',
    pageLines: () => (paginate ? terminal.rows : 0),
    run(typed) {
      const line = typed.trim()
      if (line === '' || line.startsWith('!') || line.startsWith('#')) return ok
      const inExec = node.mode === 'exec' || node.mode === 'view'
      return piped(line, inExec ? exec : (one) => configure(one.replaceAll(/ +/g, ' ')))
    },
    refuse: unknown,
    control(key) {
      if (key === 'c') return { text: '\n' }
      if (key === 'z') return node.mode === 'exec' ? ok : { text: `\n${leaveConfig()}` }
      return node.mode === 'exec' || node.mode === 'view'
        ? { text: '\n', close: true }
        : { text: `\n${leaveConfig()}` }
    },
    help: (line) =>
      node.mode === 'exec' && line === ''
        ? '  configure  Configuration from vty interface\n  exit       Exit current mode and down to previous mode\n  show       Show running system information\n  terminal   Set terminal line parameters\n  write      Write running configuration to memory, network, or terminal\n\n'
        : '  <cr>\n\n',
    dropped() {
      // vtysh goes with its connection: a batch is committed, a candidate is thrown away.
      if (node.mode !== 'exec' && node.mode !== 'view') leaveConfig()
      else if (state.lockedBy === terminal.number) state.lockedBy = undefined
    },
  }
}
