// The files of the simulated host: a few folders, who may write where, and the tools that read and write them.

import { fail, type Ran, ran } from './ran.ts'
import type { LinuxState } from './state.ts'

/** Who asks, and what was piped in. */
export interface FileCaller {
  readonly state: LinuxState
  readonly root: boolean
  readonly input: string
}

/** Why a file can't be written, or undefined. */
export function writeRefusal(
  { state, root }: Omit<FileCaller, 'input'>,
  name: string,
): string | undefined {
  if (name === '/dev/null') return undefined
  const folder = folderOf(name)
  if (state.saveRefusal !== undefined && folder.startsWith('/etc')) {
    return state.saveRefusal || 'Read-only file system'
  }
  if (!folders(state).has(folder)) return 'Directory nonexistent'
  if (root || folder === '/tmp') return undefined
  const own = folder === '/etc/nullroute/state.d' && state.spec.privilege === 'sudo'
  return own ? undefined : 'Permission denied'
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/')) || '/'
}

/** All folders that there are. */
export function folders(state: LinuxState): ReadonlySet<string> {
  const known = new Set(['/', '/etc', '/tmp', '/root', '/home', '/var/tmp'])
  for (const name of state.files.keys()) known.add(folderOf(name))
  return known
}

/** Text of a file, those of the kernel's settings included. */
export function readFile(state: LinuxState, name: string): string | undefined {
  const setting = /^\/proc\/sys\/(.+)$/.exec(name)?.[1]
  if (setting !== undefined) return `${settingOf(state, setting.replaceAll('/', '.'))}\n`
  return name === '/dev/null' ? '' : state.files.get(name)
}

/** Value of a kernel setting. */
export function settingOf(state: LinuxState, key: string): string {
  return state.kernel.sysctl.get(key) ?? (key === 'net.ipv4.ip_forward' ? '1' : '0')
}

type Tool = (caller: FileCaller, names: readonly string[], args: readonly string[]) => Ran

/** The tools by name. */
export const fileTools: Readonly<Record<string, Tool>> = {
  cat({ state, input }, names) {
    if (names.length === 0 || names[0] === '-') return ran(input)
    const texts = names.map((name) => readFile(state, name))
    const missing = names.filter((_, i) => texts[i] === undefined)
    const err = missing.map((name) => `cat: ${name}: No such file or directory\n`).join('')
    return { out: texts.join(''), err, status: missing.length > 0 ? 1 : 0 }
  },
  mv: (caller, names) => copy(caller, names, 'mv'),
  cp: (caller, names) => copy(caller, names, 'cp'),
  rm({ state }, names, args) {
    for (const name of names) {
      if (!state.files.delete(name) && !args.includes('-f')) {
        return fail(1, `rm: cannot remove '${name}': No such file or directory\n`)
      }
    }
    return ran('')
  },
  tee(caller, names) {
    for (const name of names) {
      const refusal = writeRefusal(caller, name)
      if (refusal !== undefined) {
        return { out: caller.input, err: `tee: ${name}: ${refusal}\n`, status: 1 }
      }
      caller.state.files.set(name, caller.input)
    }
    return ran(caller.input)
  },
  ls({ state }, names) {
    const folder = withoutSlash(names[0] ?? '/root')
    if (!folders(state).has(folder)) {
      return fail(2, `ls: cannot access '${folder}': No such file or directory\n`)
    }
    const own = [...state.files.keys()].filter((name) => name.startsWith(`${folder}/`)).sort()
    return ran(own.map((name) => `${name.slice(folder.length + 1)}\n`).join(''))
  },
  wc({ state, input }, names) {
    const [name] = names
    const text = name === undefined ? input : (readFile(state, name) ?? '')
    return ran(`${text.split('\n').length - 1}\n`)
  },
  head: ({ input }) => ran(`${input.split('\n').slice(0, 10).join('\n')}\n`),
  grep({ state, input }, names, args) {
    const [pattern = '', name] = names
    const text = name === undefined ? input : (readFile(state, name) ?? '')
    const found = text.split('\n').filter((line) => line !== '' && new RegExp(pattern).test(line))
    const shown = args.includes('-c') ? [String(found.length)] : args.includes('-q') ? [] : found
    const out = shown.map((line) => `${line}\n`).join('')
    return { out, err: '', status: found.length > 0 ? 0 : 1 }
  },
  mkdir: () => ran(''),
  touch: () => ran(''),
  chmod: () => ran(''),
  chown: () => ran(''),
}

function copy(caller: FileCaller, names: readonly string[], tool: 'mv' | 'cp'): Ran {
  const { files } = caller.state
  const [from = '', to = ''] = names
  const text = files.get(from)
  if (text === undefined) {
    return fail(1, `${tool}: cannot stat '${from}': No such file or directory\n`)
  }
  const refusal = writeRefusal(caller, to)
  if (refusal !== undefined) {
    return fail(1, `${tool}: cannot move '${from}' to '${to}': ${refusal}\n`)
  }
  if (tool === 'mv') files.delete(from)
  files.set(to, text)
  return ran('')
}

/** A folder's name without the slash at its end. */
export function withoutSlash(name: string): string {
  return name.replace(/(.)\/$/, '$1')
}
