// `nullroute init DIR`: a folder to start from, whose inventory passes its own check. Overwrites nothing.

import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { inventorySchemaJson } from '../../inventory/load.ts'
import { playbookSchemaJson, shippedPlaybooks } from '../../playbooks/load.ts'
import { makeFolder } from '../store/folder.ts'
import { CliError, type Context, exitCodes, remark, say, sayJson } from './context.ts'
import { type StarterFile, starterFiles } from './init-texts.ts'
import { shell } from './invocation.ts'

/** Flags of `init`. */
export interface InitOptions {
  readonly json?: boolean
}

/** Writes the folder. Exit code 0; CliError, with nothing written, where any of the files is there already. */
export async function initFolder(
  context: Context,
  folder: string,
  options: InitOptions,
): Promise<number> {
  const files = [...starterFiles, ...(await productFiles())]
  const there = await existing(folder, files)
  if (there.length > 0) {
    throw new CliError(
      exitCodes.refused,
      'not_empty',
      `${folder} has ${there.slice(0, 3).join(', ')}${there.length > 3 ? ` and ${there.length - 3} more` : ''} already, and nothing is overwritten: name another folder`,
      { files: there },
    )
  }
  for (const { path, text } of files) await write(join(folder, path), text)
  if (options.json === true) {
    sayJson(context, { folder: resolve(folder), files: files.map(({ path }) => path) })
    return exitCodes.done
  }
  say(context, `Made ${folder}:\n${files.map(({ path }) => `  ${path}`).join('\n')}`)
  remark(context, nextSteps(folder, context.program ?? 'nullroute'))
  return exitCodes.done
}

/** Playbooks and schemas of this version. */
async function productFiles(): Promise<readonly StarterFile[]> {
  const library = shippedPlaybooks()
  const names = (await readdir(library)).filter((name) => name.endsWith('.yaml')).sort()
  const playbooks = await Promise.all(
    names.map(async (name) => ({
      path: `playbooks/${name}`,
      text: `# yaml-language-server: $schema=../schema/playbook.json\n${await readFile(join(library, name), 'utf8')}`,
    })),
  )
  const schema = (name: string, value: unknown): StarterFile => ({
    path: `schema/${name}.json`,
    text: `${JSON.stringify(value, null, 2)}\n`,
  })
  return [
    ...playbooks,
    schema('inventory', inventorySchemaJson()),
    schema('playbook', playbookSchemaJson()),
  ]
}

async function existing(folder: string, files: readonly StarterFile[]): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map(async ({ path }) =>
      (await stat(join(folder, path)).catch(() => undefined)) === undefined ? [] : [path],
    ),
  )
  return found.flat()
}

async function write(file: string, text: string): Promise<void> {
  try {
    const folder = dirname(file)
    // Only the owner may look at private keys.
    makeFolder(folder, folder.endsWith('keys') ? 0o700 : 0o755)
    // `wx`: also what appeared since the look above is not overwritten.
    await writeFile(file, text, { flag: 'wx' })
  } catch (cause) {
    throw new CliError(
      exitCodes.refused,
      'file_unwritable',
      `${file} can't be written: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
}

function nextSteps(folder: string, call: string): string {
  const at = (path: string): string => shell(join(folder, path))
  return `
Next, each as it can be typed:

  1. Say what your network is: edit ${at('inventory/network.yaml')} and ${at('inventory/customers.yaml')}, then
       ${call} inventory check ${at('inventory')}
  2. Make the key that logs in, and give ${at('keys/nullroute.pub')} to the devices:
       ssh-keygen -t ed25519 -N '' -C nullroute -f ${at('keys/nullroute')}
  3. See what a device needs beforehand:
       ${call} device prepare trigger1 --inventory ${at('inventory')}
  4. Collect the host keys, and compare them with the devices' consoles:
       ${call} keys scan --inventory ${at('inventory')} --out ${at('inventory/known_hosts')}
  5. Make the first token, which is printed once:
       ${call} token create --config ${at('nullroute.yaml')} --name admin --role admin
  6. Start the controller:
       ${call} serve --config ${at('nullroute.yaml')}
  7. In another terminal, with that token, check a device and try a decision dry:
       export NULLROUTE_URL=http://127.0.0.1:8080 NULLROUTE_TOKEN=…
       ${call} device check trigger1
       ${call} suspend esthost --category phishing --summary 'a try' --dry-run`
}
