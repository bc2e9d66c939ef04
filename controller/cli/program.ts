// The program: its commands, and how a run ends. What a command does is in the command's own file.

import { readFileSync } from 'node:fs'
import { type Argument, Command, CommanderError } from 'commander'
import { ControllerError, controllerErrors } from '../errors.ts'
import { register as registerAudit } from './audit.ts'
import { CliError, type Context, exitCodes, exitOf, remark } from './context.ts'
import { register as registerDecisions } from './decide.ts'
import { register as registerDevices } from './device.ts'
import { register as registerFreeze } from './freeze.ts'
import { register as registerInventory } from './inventory.ts'
import { register as registerLater } from './later.ts'
import { registerLocal } from './local.ts'
import { register as registerLookup } from './lookup.ts'
import { register as registerPlan } from './plan.ts'
import { register as registerRelease } from './release.ts'
import { register as registerStatus } from './status.ts'
import { terminalText } from './terminal-text.ts'
import { register as registerWatch } from './watch.ts'

/** Commands that hold others: made here, because remote and local commands share them. */
export interface Groups {
  readonly device: Command
  readonly audit: Command
  readonly token: Command
  readonly inventory: Command
  readonly playbook: Command
  readonly keys: Command
}

/** Adds commands to the program or to its groups. */
export type Registrar = (program: Command, context: Context, groups: Groups) => void

/** Commands that ask the controller. */
const remoteCommands: readonly Registrar[] = [
  registerLookup,
  registerPlan,
  registerDecisions,
  registerRelease,
  registerLater,
  registerStatus,
  registerWatch,
  registerDevices,
  registerFreeze,
  registerAudit,
  registerInventory,
]

const allCommands: readonly Registrar[] = [...remoteCommands, registerLocal]

/** The program with all its commands. Nothing is run. */
export function createProgram(
  context: Context,
  registrars: readonly Registrar[] = allCommands,
): Command {
  const program = new Command('nullroute')
    .description('Cuts an abusive customer off a network, provably, and only that customer.')
    .version(version(), '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(terminalText(text)),
      // Errors are told once, at the end of the run.
      outputError: () => undefined,
      getOutHelpWidth: () => context.stdout.columns ?? 100,
      getErrHelpWidth: () => context.stderr.columns ?? 100,
    })
  const group = (name: keyof Groups, description: string): Command =>
    new Command(name).description(description).copyInheritedSettings(program)
  const groups: Groups = {
    device: group('device', 'devices: health, drift, check, preparation'),
    audit: group('audit', 'the audit log: read and verify it'),
    token: group('token', 'credentials: make, list, revoke'),
    inventory: group('inventory', 'the YAML with devices and customers: check, reload'),
    playbook: group('playbook', 'what decisions mean: list, check'),
    keys: group('keys', 'host keys of devices: scan'),
  }
  for (const register of registrars) register(program, context, groups)
  for (const one of Object.values(groups)) if (one.commands.length > 0) program.addCommand(one)
  finish(program)
  return program
}

/** Runs one command line (without node and script) and answers the exit code. Whatever goes wrong is told on standard error; nothing is thrown. */
export async function runCli(
  argv: readonly string[],
  context: Context,
  registrars: readonly Registrar[] = allCommands,
): Promise<number> {
  const program = createProgram(context, registrars)
  try {
    if (argv.length === 0) {
      context.stderr.write(program.helpInformation())
      return exitCodes.usage
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exitOf(context)
  } catch (fault) {
    const error = asCliError(fault, program, argv)
    if (error === undefined) return exitCodes.done
    remark(context, describe(error, wantsJson(argv)))
    return error.exit
  }
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
}

const overview = `
Commands that ask the controller use NULLROUTE_URL (default http://127.0.0.1:8080) and NULLROUTE_TOKEN.

Exit codes: 0 done · 1 refused or failed · 2 usage · 3 degraded, or a release that is overdue · 4 can't reach the controller

Examples:
  $ nullroute lookup 203.0.113.10
      who has this address, and what is in force on it
  $ nullroute suspend esthost --category phishing --summary "42 phishing kits" --dry-run
      what would be done, line by line; touches nothing
  $ nullroute status
      all that is in force, and what needs a person's eye`

/** The commands as the help shows them: what stands together. */
const chapters: readonly (readonly [string, readonly string[]])[] = [
  ['Look:', ['lookup', 'status', 'watch', 'plan']],
  ['Decide:', ['suspend', 'terminate', 'block', 'release', 'extend', 'retry', 'approve', 'reject']],
  ['Operate:', ['device', 'freeze', 'unfreeze', 'audit', 'token', 'inventory', 'playbook']],
  ['Set up and run:', ['init', 'serve', 'demo', 'keys', 'platforms']],
]

// The order and the chapters of the help; and every command that does something takes --json.
function finish(program: Command): void {
  const places = chapters.flatMap(([chapter, names]) => names.map((name) => ({ chapter, name })))
  const at = (command: Command): number => {
    const found = places.findIndex(({ name }) => name === command.name())
    return found < 0 ? places.length : found
  }
  const commands = program.commands as Command[]
  commands.sort((one, other) => at(one) - at(other))
  for (const command of commands) command.helpGroup(places[at(command)]?.chapter ?? 'More:')
  program.addHelpText('after', overview)
  for (const command of leaves(program)) {
    if (command.options.some(({ long }) => long === '--json')) continue
    command.option('--json', 'answer as JSON')
  }
}

/** All commands that do something, without the groups that only hold them. */
export function leaves(command: Command): readonly Command[] {
  return command.commands.flatMap((child) =>
    child.commands.length === 0 ? [child] : leaves(child),
  )
}

function asCliError(
  fault: unknown,
  program: Command,
  argv: readonly string[],
): CliError | undefined {
  if (fault instanceof CliError) {
    return fault.code === 'usage' ? withHelp(fault, program, argv) : fault
  }
  if (fault instanceof CommanderError) {
    if (fault.exitCode === 0) return undefined
    // A group without a command has shown its help already.
    if (fault.code === 'commander.help')
      return new CliError(
        exitCodes.usage,
        'usage',
        'a command is missing: choose one of those above',
      )
    const text = fault.message.replace(/^error: /, '')
    return withHelp(new CliError(exitCodes.usage, 'usage', text), program, argv)
  }
  // Of a controller in this process, or a data folder: the table says how it ends.
  if (fault instanceof ControllerError) {
    const { exit } = controllerErrors[fault.code]
    return new CliError(exit, fault.code, fault.message, fault.detail)
  }
  const message = fault instanceof Error ? fault.message : String(fault)
  const code = fault instanceof Error ? Reflect.get(fault, 'code') : undefined
  return new CliError(exitCodes.refused, typeof code === 'string' ? code : 'internal', message)
}

function withHelp(error: CliError, program: Command, argv: readonly string[]): CliError {
  const path = ['nullroute']
  let command: Command | undefined = program
  for (const word of argv) {
    command = command.commands.find(
      (child) => child.name() === word || child.aliases().includes(word),
    )
    if (command === undefined) break
    path.push(command.name())
  }
  const message = `${error.message}\n  see \`${path.join(' ')} --help\``
  return new CliError(error.exit, error.code, message, error.detail)
}

function describe(error: CliError, json: boolean): string {
  if (!json) return `nullroute: ${error.message}`
  const problem = {
    type: `urn:nullroute:problem:${error.code}`,
    title: error.code,
    detail: error.message,
    ...error.detail,
    code: error.code,
    exit: error.exit,
  }
  return JSON.stringify(problem, null, 2)
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

// package.json lies above this file in the source tree, and above dist/ in the package.
function version(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), 'utf8')
      return String((JSON.parse(text) as { readonly version: unknown }).version)
    } catch {
      // The other place, then.
    }
  }
  return 'unknown'
}
