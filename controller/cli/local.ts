// Commands that work on files, folders and devices of this machine, and the two that run a controller: their flags and their help.
// The file that does the work is loaded when it is asked for: a look-up must not wait for a database and an SSH client that it doesn't need.

import type { Command } from 'commander'
import { roles } from '../store/store.ts'
import { type Context, endWith } from './context.ts'
import { examples, parseExpiry } from './options.ts'
import type { Groups } from './program.ts'

// Stands here and not beside what reads the file: that needs a schema library, which no other command's help should wait for.
const demoCredentialsHelp =
  'Where neither NULLROUTE_URL nor NULLROUTE_TOKEN is set and a demo has left .demo/credentials.json in the working folder,\nits controller and its admin token are used; NULLROUTE_DEMO_ROLE=approver (abuse, engineer, auditor) takes the token of another of its people.'

/** Adds the local commands. */
export function registerLocal(program: Command, context: Context, groups: Groups): void {
  registerRunning(program, context)
  registerFiles(program, context, groups)
  registerDevices(program, context, groups)
  registerTokens(context, groups)
  registerAudit(context, groups)
}

function registerRunning(program: Command, context: Context): void {
  examples(
    program
      .command('serve')
      .description(
        'run the controller and its agents, until Ctrl-C or SIGTERM; SIGHUP reads the YAML again',
      )
      .option('--config <file>', 'YAML file with what is not given here')
      .option('--inventory <path>', 'file or folder (default: ./inventory)')
      .option('--playbooks <path>', 'file or folder (default: those that come with nullroute)')
      .option('--data <dir>', 'folder of enforcements, tokens and audit log (default: ./data)')
      .option('--listen <host:port>', 'where the API listens (default: 127.0.0.1:8080)')
      .action(async (options) => {
        const { serve } = await import('./serve.ts')
        const code = await serve(context, options)
        // Not ended in good order: what still runs must not keep a broken process alive.
        if (code !== 0) process.exit(code)
      }),
    [
      ['nullroute serve', './inventory, ./data, 127.0.0.1:8080'],
      [
        'nullroute serve --config /etc/nullroute/nullroute.yaml',
        'all from one file; `nullroute init` writes one',
      ],
    ],
  )
  examples(
    program
      .command('demo')
      .description(
        'a virtual ISP with its controller, to try everything on; needs no root and no set-up',
      )
      .option(
        '--listen <host:port>',
        'where the API listens (default: 127.0.0.1:8080, or a free port)',
      )
      .option(
        '--lab',
        'real routers in network namespaces instead of simulated ones (root, in the source tree)',
      )
      .action(async (options) => {
        const { demo } = await import('./demo.ts')
        const code = await demo(context, { ...options, cwd: process.cwd() })
        if (code !== 0) process.exit(code)
      }),
    [['nullroute demo', 'prints what to try in another terminal; Ctrl-C ends all of it']],
  ).addHelpText('after', `\nIts folder is ./.demo, made anew each time.\n${demoCredentialsHelp}`)
}

function registerFiles(program: Command, context: Context, groups: Groups): void {
  examples(
    program
      .command('init')
      .description('write a commented inventory, the playbooks and a config to start from')
      .argument('<dir>', 'folder to write to; nothing in it is overwritten')
      .action(async (dir, options) => {
        const { initFolder } = await import('./init.ts')
        endWith(context, await initFolder(context, dir, options))
      }),
    [['nullroute init isp', 'makes ./isp and says what to do next']],
  )
  examples(
    groups.inventory
      .command('check')
      .description(
        'check the YAML with devices and customers: every problem at once, with its place',
      )
      .argument('[path]', 'file or folder', 'inventory')
      .option('--schema', 'print the JSON Schema of the files, for editors')
      .action(async (path, options) => {
        const { checkInventory } = await import('./check.ts')
        endWith(context, await checkInventory(context, path, options))
      }),
    [
      ['nullroute inventory check', 'checks ./inventory'],
      [
        'nullroute inventory check --schema > inventory.json',
        'for editors that complete and check',
      ],
    ],
  )
  examples(
    groups.playbook
      .command('check')
      .description('check playbooks: every problem at once, with its place')
      .argument('[path]', 'file or folder (default: those that come with nullroute)')
      .option('--schema', 'print the JSON Schema of the files, for editors')
      .action(async (path, options) => {
        const { checkPlaybooks } = await import('./check.ts')
        endWith(context, await checkPlaybooks(context, path, options))
      }),
    [['nullroute playbook check playbooks', 'checks the files of ./playbooks']],
  )
}

function registerDevices(program: Command, context: Context, groups: Groups): void {
  examples(
    groups.keys
      .command('scan')
      .description(
        'collect the host keys of devices and jump hosts, for a person to compare; never replaces one',
      )
      .option('--inventory <path>', 'file or folder', 'inventory')
      .option('--device <id...>', 'only these devices or jump hosts')
      .option('--out <file>', 'known_hosts file that new keys are added to (default: print them)')
      .action(async (options) => {
        const { scanKeys } = await import('./keys-scan.ts')
        endWith(context, await scanKeys(context, options))
      }),
    [
      [
        'nullroute keys scan --inventory inventory',
        'prints what is new; fingerprints on standard error',
      ],
      [
        'nullroute keys scan --device edge1 --out inventory/known_hosts',
        'adds the key of one device, where it has none yet',
      ],
    ],
  )
  examples(
    groups.device
      .command('prepare')
      .description('print the lines that a device needs once, before its first use')
      .argument('[name]', 'device of the inventory')
      .option('--platform <platform>', 'of a platform instead, as `nullroute platforms` names it')
      .option('--inventory <path>', 'file or folder', 'inventory')
      .action(async (name, options) => {
        const { prepareDevice } = await import('./prepare.ts')
        endWith(context, await prepareDevice(context, name, options))
      }),
    [
      ['nullroute device prepare trigger1', 'by the platform that ./inventory says'],
      ['nullroute device prepare --platform juniper_junos', 'without an inventory'],
    ],
  )
  examples(
    program
      .command('platforms')
      .description('the network systems that are supported: what each can do, and can not')
      .action(async (options) => {
        const { listPlatforms } = await import('./platforms.ts')
        endWith(context, listPlatforms(context, options))
      }),
    [['nullroute platforms --json', 'the same, for programs']],
  )
}

const where = 'data folder of a controller, running or not (default: ask the controller)'
const configured = 'nullroute.yaml of the controller: its data folder, and the name of its log'

function registerTokens(context: Context, groups: Groups): void {
  examples(
    groups.token
      .command('create')
      .description('make a token; it is printed once, on standard output')
      .requiredOption('--name <name>', 'what it is for')
      .requiredOption('--role <role...>', roles.join(', '))
      .option('--person <email>', 'whose it is (default: the name); an approver needs it')
      .option('--expires <when>', 'a span such as 90d, or a time', parseExpiry)
      .option('--data <dir>', where)
      .option('--config <file>', configured)
      .action(async (options) => {
        const { createTokenHere } = await import('./token-local.ts')
        endWith(context, await createTokenHere(context, options))
      }),
    [
      [
        'nullroute token create --config nullroute.yaml --name admin --role admin',
        'the first one, before the controller starts or while it runs',
      ],
      [
        'nullroute token create --name desk --role abuse --role auditor --person ada@isp.example',
        'through the API, as admin',
      ],
    ],
  )
  examples(
    groups.token
      .command('list')
      .description('list tokens, without their secrets')
      .option('--data <dir>', where)
      .option('--config <file>', configured)
      .action(async (options) => {
        const { listTokens } = await import('./token-local.ts')
        endWith(context, await listTokens(context, options))
      }),
    [['nullroute token list --data data', 'whose they are, and until when']],
  )
  examples(
    groups.token
      .command('revoke')
      .description('end a token at once')
      .argument('<id>', 'as `token list` shows it')
      .option('--data <dir>', where)
      .option('--config <file>', configured)
      .action(async (id, options) => {
        const { revokeTokenHere } = await import('./token-local.ts')
        endWith(context, await revokeTokenHere(context, id, options))
      }),
    [
      [
        'nullroute token revoke 01JDX0Q0Z8V2N3M4P5R6S7T8W9 --data data',
        'its next request is refused',
      ],
    ],
  )
}

function registerAudit(context: Context, groups: Groups): void {
  examples(
    groups.audit
      .command('verify')
      .description(
        'check the whole audit log of a data folder; exit code 1 with findings, 4 where it can not be read',
      )
      .requiredOption('--data <dir>', 'data folder of a controller, running or not')
      .action(async (options) => {
        const { verifyLogOf } = await import('./verify.ts')
        endWith(context, verifyLogOf(context, options.data, options))
      }),
    [['nullroute audit verify --data data', 'every entry, disclosure and artifact']],
  )
}
