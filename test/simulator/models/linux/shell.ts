// The shell: runs what parse.ts understood, with variables, files and the commands of a small system. Commands of the kernel's tools are ip.ts and nft.ts.

import { bridge, fail, ip, type Ran, ran } from './ip.ts'
import { nft } from './nft.ts'
import { type Command, parseShell, type Redirection, type Step, type Word } from './parse.ts'
import type { LinuxState } from './state.ts'

/** One running shell. */
export interface Shell {
  readonly kind: 'bash' | 'sh'
  readonly variables: Map<string, string>
  status: number
  /** Line number, for error texts. */
  line: number
  readonly root: boolean
  readonly user: string
}

/** What running lines came to, beside what they printed. */
export interface Outcome {
  readonly text: string
  /** `exec` or a start of another shell. */
  readonly shell?: { readonly replaces: boolean; readonly variables: ReadonlyMap<string, string> }
  readonly exit?: boolean
  readonly echo?: boolean
  /** sudo wants a password; the command behind it. */
  readonly password?: boolean
}

/** Everything that one line's run has to know. */
interface Run {
  readonly state: LinuxState
  readonly shell: Shell
  printed: string
  outcome: Omit<Outcome, 'text'>
}

/** Runs complete lines. */
export function runShell(state: LinuxState, shell: Shell, text: string): Outcome {
  const parsed = parseShell(text)
  shell.line += 1
  if (parsed.kind === 'error') {
    shell.status = 2
    return { text: `${nameOf(shell)}${shell.line}: Syntax error: "${parsed.near}" unexpected\n` }
  }
  if (parsed.kind === 'more') return { text: '' }
  const run: Run = { state, shell, printed: '', outcome: {} }
  runSteps(run, parsed.steps)
  return { text: run.printed, ...run.outcome }
}

function nameOf(shell: Shell): string {
  return shell.kind === 'bash' ? '-bash: line ' : 'sh: '
}

function runSteps(run: Run, steps: readonly Step[]): void {
  for (const { when, pipeline } of steps) {
    if (run.outcome.exit === true || run.outcome.shell !== undefined) return
    if (when === 'and' && run.shell.status !== 0) continue
    if (when === 'or' && run.shell.status === 0) continue
    runPipeline(run, pipeline)
  }
}

function runPipeline(run: Run, pipeline: readonly Command[]): void {
  let input = ''
  pipeline.forEach((command, at) => {
    const last = at === pipeline.length - 1
    const result = runCommand(run, command, input)
    run.shell.status = result.status
    run.printed += result.err
    input = result.out
    if (last) run.printed += result.out
  })
}

function runCommand(run: Run, command: Command, input: string): Ran {
  const words = command.words.flatMap((word) => expandWord(run, word))
  const redirected = readRedirections(run, command.redirections, input)
  if ('status' in redirected) return redirected
  let result: Ran
  if (command.group !== undefined) {
    const inner: Run = { ...run, printed: '' }
    runSteps(inner, command.group)
    result = { out: inner.printed, err: '', status: run.shell.status }
  } else {
    result = runWords(run, words, redirected.input)
  }
  return writeRedirections(run, command.redirections, result)
}

function readRedirections(
  run: Run,
  redirections: readonly Redirection[],
  input: string,
): { readonly input: string } | Ran {
  let text = input
  for (const one of redirections) {
    if (one.kind === '<<') {
      const literal = one.target.some((part) => part.quoted)
      text = literal ? (one.body ?? '') : expandText(run, one.body ?? '')
    } else if (one.kind === '<') {
      const name = expandWord(run, one.target).join(' ')
      const content = readFile(run.state, name)
      if (content === undefined) {
        return fail(2, `${nameOf(run.shell)}${run.shell.line}: cannot open ${name}: No such file\n`)
      }
      text = content
    } else if (one.kind.includes('>') && !one.kind.includes('&')) {
      const name = expandWord(run, one.target).join(' ')
      const refusal = name === '/dev/null' ? undefined : writable(run, name)
      if (refusal !== undefined) {
        return fail(2, `${nameOf(run.shell)}${run.shell.line}: cannot create ${name}: ${refusal}\n`)
      }
    }
  }
  return { input: text }
}

function writeRedirections(run: Run, redirections: readonly Redirection[], result: Ran): Ran {
  let { out, err } = result
  for (const one of redirections) {
    if (one.kind === '2>&1') {
      out += err
      err = ''
    } else if (one.kind === '>&2') {
      err += out
      out = ''
    } else if (one.kind !== '<' && one.kind !== '<<') {
      const name = expandWord(run, one.target).join(' ')
      const errors = one.kind.startsWith('2')
      const text = errors ? err : out
      if (errors) err = ''
      else out = ''
      if (name === '/dev/null') continue
      const before = one.kind.endsWith('>>') ? (run.state.files.get(name) ?? '') : ''
      run.state.files.set(name, before + text)
    }
  }
  return { out, err, status: result.status }
}

/** Why a file can't be written, or undefined. */
function writable(run: Run, name: string): string | undefined {
  const { state, shell } = run
  const folder = name.slice(0, name.lastIndexOf('/')) || '/'
  if (state.saveRefusal !== undefined && folder.startsWith('/etc')) {
    return state.saveRefusal || 'Read-only file system'
  }
  if (!folders(state).has(folder)) return 'Directory nonexistent'
  if (shell.root || folder === '/tmp') return undefined
  return folder === '/etc/nullroute/state.d' && state.spec.privilege === 'sudo'
    ? undefined
    : 'Permission denied'
}

function folders(state: LinuxState): ReadonlySet<string> {
  const known = new Set(['/', '/etc', '/tmp', '/root', '/home', '/var/tmp'])
  for (const name of state.files.keys()) known.add(name.slice(0, name.lastIndexOf('/')) || '/')
  return known
}

function readFile(state: LinuxState, name: string): string | undefined {
  const sysctl = /^\/proc\/sys\/(.+)$/.exec(name)?.[1]
  if (sysctl !== undefined) return `${sysctlValue(state, sysctl.replaceAll('/', '.'))}\n`
  return name === '/dev/null' ? '' : state.files.get(name)
}

function sysctlValue(state: LinuxState, key: string): string {
  return state.kernel.sysctl.get(key) ?? (key === 'net.ipv4.ip_forward' ? '1' : '0')
}

function expandWord(run: Run, word: Word): string[] {
  let fields: string[] = ['']
  let any = false
  const append = (text: string): void => {
    fields = [...fields.slice(0, -1), (fields.at(-1) ?? '') + text]
  }
  for (const part of word) {
    const text = part.literal ? part.text : expandText(run, part.text)
    if (part.quoted || !part.text.includes('$')) {
      append(part.quoted && !part.literal ? text.replaceAll(/\\(["\\$`])/g, '$1') : text)
      any ||= part.quoted || text !== ''
      continue
    }
    const [first = '', ...more] = text.trim().split(/\s+/)
    append(first)
    fields = [...fields, ...more]
    any ||= text.trim() !== ''
  }
  return any ? fields : []
}

/** Parameters and command substitutions. */
function expandText(run: Run, text: string): string {
  return text.replaceAll(
    /\\\$|\$\(([^)]*)\)|\$\{(\w+)(?:(:?-|%% \*)([^}]*))?\}|\$(\w+|[?$#!])/g,
    (whole, command?: string, name?: string, or?: string, otherwise?: string, bare?: string) => {
      if (whole === '\\$') return '$'
      if (command !== undefined) {
        const inner = runShell(run.state, run.shell, command)
        return inner.text.replace(/\n+$/, '')
      }
      const value = parameter(run.shell, bare ?? name ?? '')
      if (or === '%% *') return value.split(' ')[0] ?? ''
      return value === '' && or !== undefined ? (otherwise ?? '') : value
    },
  )
}

/** Value of a parameter, '' where it has none. */
export function parameter(shell: Shell, name: string): string {
  if (name === '?') return String(shell.status)
  if (name === '$') return '4711'
  return shell.variables.get(name) ?? ''
}

function runWords(run: Run, words: readonly string[], input: string): Ran {
  const assignments: [string, string][] = []
  let rest = words
  while (/^[A-Za-z_]\w*=/.test(rest[0] ?? '')) {
    const [word = ''] = rest
    assignments.push([word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
    rest = rest.slice(1)
  }
  if (rest.length === 0) {
    for (const [name, value] of assignments) run.shell.variables.set(name, value)
    return ran('')
  }
  return runProgram(run, rest, input, run.shell.root)
}

/** Path of a program without its folder, where that is a known one. */
function baseName(word: string): string {
  return word.replace(/^(?:\/usr)?\/s?bin\//, '')
}

function runProgram(run: Run, words: readonly string[], input: string, root: boolean): Ran {
  const [word = '', ...args] = words
  const { state, shell } = run
  switch (baseName(word)) {
    case 'ip':
      return ip(state, args, root, input)
    case 'nft':
      return nft(state, args, root, input)
    case 'bridge':
      return bridge(state, args)
    case 'sudo':
      return sudo(run, args, input)
    case 'setsid':
      return runProgram(run, args[0] === '-w' ? args.slice(1) : args, input, root)
    case 'env':
    case 'exec':
    case 'sh':
    case 'bash':
    case 'dash':
      return start(run, words)
    case 'exit':
    case 'logout':
      run.outcome = { ...run.outcome, exit: true }
      return { out: '', err: '', status: Number(args[0] ?? shell.status) }
    case 'stty':
      if (args.includes('-echo')) run.outcome = { ...run.outcome, echo: false }
      if (args.includes('echo')) run.outcome = { ...run.outcome, echo: true }
      return ran('')
    case 'sysctl':
      return sysctl(state, args, root)
    default:
      return runTool(run, baseName(word), args, input)
  }
}

/** `exec env -i A=B … sh` and its parts. */
function start(run: Run, words: readonly string[]): Ran {
  let rest = words
  let replaces = false
  const variables = new Map(run.shell.variables)
  for (;;) {
    const word = baseName(rest[0] ?? '')
    if (word === 'exec') replaces = true
    else if (word === '-i') variables.clear()
    else if (/^\w+=/.test(word)) {
      const text = rest[0] ?? ''
      variables.set(text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1))
    } else if (word !== 'env') break
    rest = rest.slice(1)
  }
  const program = baseName(rest[0] ?? '')
  if (program === '') {
    return ran([...variables].map(([name, value]) => `${name}=${value}\n`).join(''))
  }
  if (!/^(?:sh|dash|bash)$/.test(program)) return runProgram(run, rest, '', run.shell.root)
  if (rest[1] === '-c') {
    const inner = runShell(run.state, run.shell, rest[2] ?? '')
    return { out: inner.text, err: '', status: run.shell.status }
  }
  run.outcome = { ...run.outcome, shell: { replaces, variables } }
  return ran('')
}

/** What the sudo fragment of the documents allows: a few commands of this one account. */
function allowed(state: LinuxState, words: readonly string[]): boolean {
  const ports = (state.spec.ports ?? [])
    .filter(({ trunk }) => trunk !== true)
    .map(({ name }) => name.replaceAll('.', '\\.'))
    .join('|')
  const line = words.slice(1).join(' ')
  switch (baseName(words[0] ?? '')) {
    case 'ip':
      return (
        /^(?:-6 )?route (?:prepend|add|del) blackhole [0-9a-f.:/]+ proto 223(?: metric [0-9]+)?(?: table [0-9]+)?$/.test(
          line,
        ) || new RegExp(`^link set dev (?:${ports}) (?:up|down)$`).test(line)
      )
    case 'nft':
      return (
        /^(?:add|delete) element (?:inet|bridge) nullroute (?:dst|src)[46] [{] [0-9a-f.:/]+(?: comment "[A-Za-z0-9 -]+")? [}]$/.test(
          line,
        ) || /^-j list table (?:inet|bridge) nullroute$/.test(line)
      )
    default:
      return false
  }
}

function sudo(run: Run, args: readonly string[], input: string): Ran {
  const silent = args[0] === '-n'
  const words = silent ? args.slice(1) : args
  const { state, shell } = run
  const may = shell.root || (state.spec.privilege === 'sudo' && allowed(state, words))
  if (may) return runProgram(run, words, input, true)
  if (silent) return fail(1, 'sudo: a password is required\n')
  run.outcome = { ...run.outcome, password: true }
  return { out: '', err: '', status: 1 }
}

function sysctl(state: LinuxState, args: readonly string[], root: boolean): Ran {
  const bare = args.includes('-n')
  const names = args.filter((word) => !word.startsWith('-'))
  let out = ''
  for (const word of names) {
    const [key = '', value] = word.split('=')
    if (value !== undefined) {
      if (!root) return fail(1, `sysctl: permission denied on key "${key}"\n`)
      state.kernel.sysctl.set(key, value)
    }
    out += bare ? `${sysctlValue(state, key)}\n` : `${key} = ${sysctlValue(state, key)}\n`
  }
  return ran(out)
}

function runTool(run: Run, name: string, args: readonly string[], input: string): Ran {
  const { state, shell } = run
  switch (name) {
    case ':':
    case 'true':
    case 'sync':
    case 'umask':
    case 'cd':
    case 'set':
    case 'export':
    case 'unset':
    case 'wait':
      return ran('')
    case 'false':
      return fail(1, '')
    case 'id':
      return identity(shell, args)
    case 'whoami':
      return ran(`${shell.root ? 'root' : shell.user}\n`)
    case 'uname':
      return ran(args[0] === '-r' ? '6.1.0-18-amd64\n' : 'Linux\n')
    case 'hostname':
      return ran(`${state.hostname}\n`)
    case 'date':
      return ran(
        `${args.some((one) => one.includes('%s')) ? Math.floor(state.settings.clock.now().getTime() / 1000) : state.settings.clock.now().toUTCString()}\n`,
      )
    case 'echo':
      return ran(args[0] === '-n' ? args.slice(1).join(' ') : `${args.join(' ')}\n`)
    case 'printf':
      return ran(printf(args[0] ?? '', args.slice(1)))
    case 'command':
    case 'which':
      return which(args)
    case 'test':
    case '[':
      return test(run, name === '[' ? args.slice(0, -1) : args)
    case 'systemctl':
      return ran(
        /is-enabled|is-active/.test(args[0] ?? '')
          ? `${args[0] === 'is-enabled' ? 'enabled' : 'active'}\n`
          : '',
      )
    default:
      return runFileTool(run, name, args, input)
  }
}

function identity(shell: Shell, args: readonly string[]): Ran {
  const uid = shell.root ? 0 : 1001
  const user = shell.root ? 'root' : shell.user
  if (args[0] === '-u') return ran(`${uid}\n`)
  if (args[0] === '-un') return ran(`${user}\n`)
  return ran(`uid=${uid}(${user}) gid=${uid}(${user}) groups=${uid}(${user})\n`)
}

function printf(format: string, args: readonly string[]): string {
  const escapes = (text: string): string =>
    text.replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\\\', '\\')
  const once = (values: string[]): string =>
    escapes(format).replaceAll(/%[sdb%]/g, (spec) => (spec === '%%' ? '%' : (values.shift() ?? '')))
  const values = [...args]
  let text = once(values)
  // The format is used again for what is left.
  while (values.length > 0 && /%[sdb]/.test(format)) text += once(values)
  return text
}

function which(args: readonly string[]): Ran {
  const name = args.at(-1) ?? ''
  const folder = /^(?:ip|nft|bridge|sysctl)$/.test(name) ? '/usr/sbin' : '/usr/bin'
  return /^(?:ip|nft|bridge|sudo|sh|cat|mv|sync|sysctl|printf|mkdir|stat)$/.test(name)
    ? ran(`${folder}/${name}\n`)
    : fail(127, '')
}

function test(run: Run, args: readonly string[]): Ran {
  const [first = '', second = '', third = ''] = args
  const { state } = run
  const yes = (holds: boolean): Ran => (holds ? ran('') : fail(1, ''))
  if (first === '!') {
    const inner = test(run, args.slice(1))
    return yes(inner.status !== 0)
  }
  switch (first) {
    case '-d':
      return yes(folders(state).has(second.replace(/(.)\/$/, '$1')))
    case '-f':
    case '-e':
    case '-r':
    case '-s':
      return yes(state.files.has(second) || (first !== '-f' && folders(state).has(second)))
    case '-w':
      return yes(writable(run, folders(state).has(second) ? `${second}/x` : second) === undefined)
    case '-x':
      return yes(/^\/usr\/(?:local\/)?s?bin\//.test(second))
    case '-n':
      return yes(second !== '')
    case '-z':
      return yes(second === '')
    default:
      return yes(
        second === '='
          ? first === third
          : second === '!='
            ? first !== third
            : second === '' && first !== '',
      )
  }
}

function runFileTool(run: Run, name: string, args: readonly string[], input: string): Ran {
  const { state, shell } = run
  const names = args.filter((word) => !word.startsWith('-') || word === '-')
  const { files } = state
  switch (name) {
    case 'cat': {
      if (names.length === 0 || names[0] === '-') return ran(input)
      let out = ''
      for (const file of names) {
        const text = readFile(state, file)
        if (text === undefined)
          return { out, err: `cat: ${file}: No such file or directory\n`, status: 1 }
        out += text
      }
      return ran(out)
    }
    case 'mv':
    case 'cp': {
      const [from = '', to = ''] = names
      const text = files.get(from)
      if (text === undefined)
        return fail(1, `${name}: cannot stat '${from}': No such file or directory\n`)
      const refusal = writable(run, to)
      if (refusal !== undefined)
        return fail(1, `${name}: cannot move '${from}' to '${to}': ${refusal}\n`)
      if (name === 'mv') files.delete(from)
      files.set(to, text)
      return ran('')
    }
    case 'rm': {
      for (const file of names) {
        if (!files.delete(file) && !args.includes('-f')) {
          return fail(1, `rm: cannot remove '${file}': No such file or directory\n`)
        }
      }
      return ran('')
    }
    case 'tee': {
      for (const file of names) {
        const refusal = writable(run, file)
        if (refusal !== undefined)
          return { out: input, err: `tee: ${file}: ${refusal}\n`, status: 1 }
        files.set(file, input)
      }
      return ran(input)
    }
    case 'ls': {
      const folder = (names[0] ?? '/root').replace(/(.)\/$/, '$1')
      if (!folders(state).has(folder)) {
        return fail(2, `ls: cannot access '${folder}': No such file or directory\n`)
      }
      const own = [...files.keys()].filter((file) => file.startsWith(`${folder}/`))
      return ran(
        own
          .map((file) => `${file.slice(folder.length + 1)}\n`)
          .sort()
          .join(''),
      )
    }
    case 'mkdir':
    case 'touch':
    case 'chmod':
    case 'chown':
      return ran('')
    case 'wc':
      return ran(
        `${(names[0] === undefined ? input : (files.get(names[0]) ?? '')).split('\n').length - 1}\n`,
      )
    case 'head':
      return ran(`${input.split('\n').slice(0, 10).join('\n')}\n`)
    case 'grep': {
      const [pattern = '', file] = names
      const text = file === undefined ? input : (readFile(state, file) ?? '')
      const found = text.split('\n').filter((line) => line !== '' && new RegExp(pattern).test(line))
      const out = args.includes('-q')
        ? ''
        : args.includes('-c')
          ? `${found.length}\n`
          : found.map((line) => `${line}\n`).join('')
      return { out, err: '', status: found.length > 0 ? 0 : 1 }
    }
    default:
      return fail(
        127,
        shell.kind === 'bash'
          ? `-bash: ${name}: command not found\n`
          : `sh: ${shell.line}: ${name}: not found\n`,
      )
  }
}
