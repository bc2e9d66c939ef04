// The programs of the simulated host: the kernel's tools, sudo, shells, and the small tools of every system.

import { dispatch } from '../dispatch.ts'
import { fileTools, folders, settingOf, withoutSlash, writeRefusal } from './files.ts'
import { bridge, ip } from './ip.ts'
import { nft } from './nft.ts'
import { fail, type Ran, ran } from './ran.ts'
import type { Run, Shell } from './shell.ts'
import type { LinuxState } from './state.ts'

/** Runs the program that the first word names. */
export function runProgram(run: Run, words: readonly string[], input: string, root: boolean): Ran {
  const [word = '', ...args] = words
  const name = baseName(word)
  const program = programs[name]
  if (program !== undefined) return program({ run, words, args, input, root })
  const tool = fileTools[name]
  if (tool !== undefined) {
    const names = args.filter((one) => !one.startsWith('-') || one === '-')
    return tool({ state: run.state, root, input }, names, args)
  }
  const { kind, line } = run.shell
  return fail(
    127,
    kind === 'bash' ? `-bash: ${name}: command not found\n` : `sh: ${line}: ${name}: not found\n`,
  )
}

/** A program's call. */
interface Call {
  readonly run: Run
  /** With the program's own word. */
  readonly words: readonly string[]
  readonly args: readonly string[]
  readonly input: string
  readonly root: boolean
}

const nothing = (): Ran => ran('')

const programs: Readonly<Record<string, (call: Call) => Ran>> = {
  ip: ({ run, args, root, input }) => ip(run.state, args, root, input),
  nft: ({ run, args, root, input }) => nft(run.state, args, root, input),
  bridge: ({ run, args }) => bridge(run.state, args),
  sudo,
  setsid: ({ run, args, input, root }) =>
    runProgram(run, args[0] === '-w' ? args.slice(1) : args, input, root),
  sysctl,
  env: start,
  exec: start,
  sh: start,
  bash: start,
  dash: start,
  exit,
  logout: exit,
  stty,
  read,
  id: ({ run, args }) => identity(run.shell, args),
  whoami: ({ run }) => ran(`${run.shell.root ? 'root' : run.shell.user}\n`),
  uname: ({ args }) => ran(args[0] === '-r' ? '6.1.0-18-amd64\n' : 'Linux\n'),
  hostname: ({ run }) => ran(`${run.state.hostname}\n`),
  date,
  echo: ({ args }) => ran(args[0] === '-n' ? args.slice(1).join(' ') : `${args.join(' ')}\n`),
  printf: ({ args }) => ran(printf(args[0] ?? '', args.slice(1))),
  command: which,
  which,
  test: ({ run, args }) => verdict(run, args),
  '[': ({ run, args }) => verdict(run, args.slice(0, -1)),
  systemctl: ({ args }) =>
    ran({ 'is-enabled': 'enabled\n', 'is-active': 'active\n' }[args[0] ?? ''] ?? ''),
  true: nothing,
  ':': nothing,
  sync: nothing,
  umask: nothing,
  cd: nothing,
  set: nothing,
  export: nothing,
  unset: nothing,
  wait: nothing,
  false: () => fail(1, ''),
}

/** Path of a program without its folder, where that is a known one. */
function baseName(word: string): string {
  return word.replace(/^(?:\/usr)?\/s?bin\//, '')
}

function exit({ run, args }: Call): Ran {
  run.outcome = { ...run.outcome, exit: true }
  return { out: '', err: '', status: Number(args[0] ?? run.shell.status) }
}

/** `read -r NAME`, of a loop's lines. */
function read({ run, args }: Call): Ran {
  const line = run.lines?.shift()
  if (line === undefined) return fail(1, '')
  run.shell.variables.set(args.at(-1) ?? 'REPLY', line)
  return ran('')
}

function stty({ run, args }: Call): Ran {
  if (args.includes('-echo')) run.outcome = { ...run.outcome, echo: false }
  if (args.includes('echo')) run.outcome = { ...run.outcome, echo: true }
  return ran('')
}

/** `exec env -i A=B … sh` and its parts. */
function start({ run, words }: Call): Ran {
  const { replaces, variables, rest } = environment(run.shell, words)
  const program = baseName(rest[0] ?? '')
  if (program === '') {
    return ran([...variables].map(([name, value]) => `${name}=${value}\n`).join(''))
  }
  if (!/^(?:sh|dash|bash)$/.test(program)) return runProgram(run, rest, '', run.shell.root)
  if (rest[1] === '-c') {
    const out = run.inner(rest[2] ?? '')
    return { out, err: '', status: run.shell.status }
  }
  run.outcome = { ...run.outcome, shell: { replaces, variables } }
  return ran('')
}

/** What stands before the program: `exec`, `env`, `-i`, and variables. */
function environment(
  shell: Shell,
  words: readonly string[],
): {
  readonly replaces: boolean
  readonly variables: ReadonlyMap<string, string>
  readonly rest: readonly string[]
} {
  const first = words.findIndex((word) => !/^(?:exec|env|-i|\w+=.*)$/s.test(baseName(word)))
  const before = first < 0 ? words : words.slice(0, first)
  const variables = new Map(before.includes('-i') ? [] : shell.variables)
  for (const word of before) {
    const at = word.indexOf('=')
    if (at > 0) variables.set(word.slice(0, at), word.slice(at + 1))
  }
  return {
    replaces: baseName(words[0] ?? '') === 'exec',
    variables,
    rest: first < 0 ? [] : words.slice(first),
  }
}

/** What the sudo fragment of the documents allows: a few commands of this one account. */
function allowed(state: LinuxState, words: readonly string[]): boolean {
  const ports = state.spec.ports
    .filter(({ trunk }) => !trunk)
    .map(({ name }) => name.replaceAll('.', '\\.'))
    .join('|')
  return (
    dispatch<boolean>(`${baseName(words[0] ?? '')} ${words.slice(1).join(' ')}`, [
      [
        /^ip (?:-6 )?route (?:prepend|add|del) blackhole [0-9a-f.:/]+ proto 223(?: metric [0-9]+)?(?: table [0-9]+)?$/,
        () => true,
      ],
      [new RegExp(`^ip link set dev (?:${ports}) (?:up|down)$`), () => true],
      [
        /^nft (?:add|delete) element (?:inet|bridge) nullroute (?:dst|src)[46] [{] [0-9a-f.:/]+(?: comment "[A-Za-z0-9 -]+")? [}]$/,
        () => true,
      ],
      [/^nft -[jt] list table (?:inet|bridge) nullroute$/, () => true],
    ]) ?? false
  )
}

function sudo({ run, args, input }: Call): Ran {
  const silent = args[0] === '-n'
  const words = silent ? args.slice(1) : args
  const { state, shell } = run
  if (words[0] === '-l') {
    // Says whether a command is allowed, and runs nothing.
    const asked = words.slice(1)
    const listed = shell.root || (state.spec.privilege === 'sudo' && allowed(state, asked))
    return listed ? ran(`${asked.join(' ')}\n`) : { out: '', err: '', status: 1 }
  }
  const may = shell.root || (state.spec.privilege === 'sudo' && allowed(state, words))
  if (may) return runProgram(run, words, input, true)
  if (silent) return fail(1, 'sudo: a password is required\n')
  run.outcome = { ...run.outcome, password: true }
  return { out: '', err: '', status: 1 }
}

function sysctl({ run: { state }, args, root }: Call): Ran {
  const bare = args.includes('-n')
  let out = ''
  for (const word of args.filter((one) => !one.startsWith('-'))) {
    const [key = '', value] = word.split('=')
    if (value !== undefined && !root) return fail(1, `sysctl: permission denied on key "${key}"\n`)
    if (value !== undefined) state.kernel.sysctl.set(key, value)
    out += bare ? `${settingOf(state, key)}\n` : `${key} = ${settingOf(state, key)}\n`
  }
  return ran(out)
}

function date({ run, args }: Call): Ran {
  const now = run.state.settings.clock.now()
  const seconds = args.some((one) => one.includes('%s'))
  return ran(`${seconds ? Math.floor(now.getTime() / 1000) : now.toUTCString()}\n`)
}

function identity(shell: Shell, args: readonly string[]): Ran {
  const uid = shell.root ? 0 : 1001
  const user = shell.root ? 'root' : shell.user
  if (args[0] === '-u') return ran(`${uid}\n`)
  if (args[0] === '-un') return ran(`${user}\n`)
  return ran(`uid=${uid}(${user}) gid=${uid}(${user}) groups=${uid}(${user})\n`)
}

function printf(format: string, args: readonly string[]): string {
  const plain = format.replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\\\', '\\')
  const values = [...args]
  const once = (): string =>
    plain.replaceAll(/%[sdb%]/g, (one) => (one === '%%' ? '%' : (values.shift() ?? '')))
  let text = once()
  // The format is used again for what is left.
  while (values.length > 0 && /%[sdb]/.test(plain)) text += once()
  return text
}

function which({ args }: Call): Ran {
  const name = args.at(-1) ?? ''
  const folder = /^(?:ip|nft|bridge|sysctl)$/.test(name) ? '/usr/sbin' : '/usr/bin'
  return programs[name] === undefined && fileTools[name] === undefined
    ? fail(127, '')
    : ran(`${folder}/${name}\n`)
}

/** `test` and `[`. */
function verdict(run: Run, args: readonly string[]): Ran {
  if (args[0] === '!') return verdict(run, args.slice(1)).status === 0 ? fail(1, '') : ran('')
  const { state, shell } = run
  const [first = '', operator = '', other = ''] = args
  const file = withoutSlash(operator)
  const probe = folders(state).has(file) ? `${file}/x` : file
  const unary: Readonly<Record<string, () => boolean>> = {
    '-d': () => folders(state).has(file),
    '-f': () => state.files.has(file),
    '-e': () => state.files.has(file) || folders(state).has(file),
    '-r': () => state.files.has(file) || folders(state).has(file),
    '-s': () => (state.files.get(file) ?? '') !== '',
    '-w': () => writeRefusal({ state, root: shell.root }, probe) === undefined,
    '-x': () => /^\/usr\/(?:local\/)?s?bin\//.test(file),
    '-n': () => operator !== '',
    '-z': () => operator === '',
  }
  const binary: Readonly<Record<string, () => boolean>> = {
    '=': () => first === other,
    '!=': () => first !== other,
    '-eq': () => Number(first) === Number(other),
  }
  const holds = args.length === 3 ? binary[operator] : (unary[first] ?? (() => first !== ''))
  return holds?.() === true ? ran('') : fail(1, '')
}
