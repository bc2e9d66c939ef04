// A model of a Linux host: kernel state without a configuration, a shell in front of it. From the manual pages and recordings of iproute2 6.1 and nftables 1.0.6.

import type { MakeModel, Model } from '../model.ts'
import { ip } from './ip.ts'
import { nft } from './nft.ts'
import { printNft } from './nft-print.ts'
import { openLinux } from './session.ts'
import { runShell } from './shell.ts'
import { copyKernel, createState, discardsWithTag, type LinuxState, learnRoutes } from './state.ts'

const stateFolder = '/etc/nullroute/state.d'

/** What root prepares: the tables and their rules, loaded again without harm. */
function tableFile(family: 'inet' | 'bridge'): string {
  const of = (words: string): string => `${words.replace('@', `${family} nullroute`)}\n`
  const sets = ['dst4', 'src4', 'dst6', 'src6'].map((name) =>
    of(`add set @ ${name} { type ipv${name.slice(-1)}_addr; flags interval; counter; }`),
  )
  const protect = ['4', '6'].map((one) =>
    of(`add set @ protect${one} { type ipv${one}_addr; flags interval; }`),
  )
  const rules = [
    'ip saddr @protect4 accept',
    'ip daddr @protect4 accept',
    'ip6 saddr @protect6 accept',
    'ip6 daddr @protect6 accept',
    'ip daddr @dst4 drop',
    'ip saddr @src4 drop',
    'ip6 daddr @dst6 drop',
    'ip6 saddr @src6 drop',
  ].map((rule) => `add rule ${family} nullroute pre ${rule}\n`)
  return [
    of('add table @'),
    ...sets,
    ...protect,
    of('add chain @ pre { type filter hook prerouting priority -310; policy accept; }'),
    of('flush chain @ pre'),
    ...rules,
  ].join('')
}

/** What nullroute-restore does at boot: one line, one command. */
function restore(state: LinuxState): void {
  const lines = (name: string): string[] =>
    (state.files.get(`${stateFolder}/${name}`) ?? '').split('\n').filter((line) => line !== '')
  const table = state.files.get('/etc/nullroute/table.nft')
  if (table === undefined) return
  for (const line of [...lines('routes'), ...lines('ports')]) ip(state, line.split(' '), true, '')
  nft(state, ['-f', '-'], true, table)
  for (const line of lines('elements')) nft(state, [line], true, '')
}

/** All that an identity after a release is measured by: routes of all tables, rules, packet filter, link flags, addresses. */
function printKernel(state: LinuxState): string {
  const show = (...words: string[]): string => ip(state, words, true, '').out
  const links = state.kernel.links.map((link) =>
    `${link.name} ${link.up ? 'up' : 'down'} ${link.addresses.join(' ')}`.trimEnd(),
  )
  const filter = printNft(state.kernel.tables, false).replaceAll(
    / counter packets \d+ bytes \d+/g,
    '',
  )
  return `${show('-4', 'route', 'show', 'table', 'all')}${show('-6', 'route', 'show', 'table', 'all')}${show('rule')}${show('-6', 'rule')}${show('neigh', 'show', 'nud', 'permanent')}${show('neigh', 'show', 'proxy')}${links.join('\n')}\n${filter}`
}

/** One Linux host. */
export const linux: MakeModel = (spec, settings): Model => {
  const state = createState(spec, settings)
  if (spec.prepared) {
    const bridge = state.kernel.links.some(({ kind }) => kind === 'bridge')
    const text = tableFile('inet') + (bridge ? tableFile('bridge') : '')
    state.files.set('/etc/nullroute/table.nft', text)
    for (const name of ['routes', 'elements', 'ports'])
      state.files.set(`${stateFolder}/${name}`, '')
    nft(state, ['-f', '-'], true, text)
  }
  const byHand = (lines: readonly string[]): void => {
    for (const line of lines) {
      const shell = {
        kind: 'sh',
        variables: new Map(),
        status: 0,
        line: 0,
        root: true,
        user: 'root',
      } as const
      const own = { ...shell }
      const { text } = runShell(state, own, line)
      if (own.status !== 0) throw new Error(`${spec.name} refused "${line}": ${text.trim()}`)
    }
    state.listener()
  }
  byHand(spec.extra)
  state.boot = copyKernel(state.kernel)
  return {
    pager: { sign: '', erase: '', ends: 'more', last: '' },
    open: (terminal) => openLinux(state, terminal),
    running: () => printKernel(state),
    startup: () =>
      [...state.files]
        .filter(([name]) => name.startsWith(`${stateFolder}/`))
        .map(([name, text]) => `${name}:\n${text}`)
        .join(''),
    setByHand: byHand,
    pretend(work) {
      const { kernel, files } = state
      state.kernel = copyKernel(kernel)
      state.files = new Map(files)
      try {
        return work()
      } finally {
        state.kernel = kernel
        state.files = files
        state.listener()
      }
    },
    // There is no lock to hold: commands interleave.
    lock() {},
    refuseSave(text) {
      state.saveRefusal = text
    },
    expireTimer: () => false,
    reboot() {
      state.kernel = copyKernel(state.boot)
      restore(state)
      state.listener()
    },
    logLine: () =>
      `\nMessage from syslogd@${state.hostname} at ${settings.clock.now().toUTCString().slice(5, 25)} ...\n kernel:[8123.456789] eth0: link becomes ready`,
    announced: () => discardsWithTag(state),
    learn: (routes) => learnRoutes(state, routes),
    onChange(listener) {
      state.listener = listener
    },
    stop() {},
  }
}
