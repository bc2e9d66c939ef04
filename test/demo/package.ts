// `npm run test:package`: the tarball as npm would publish it, installed beside nothing but its own dependencies, and used as a newcomer does.
// Works offline: the dependencies are those of this folder, linked one by one, so that a forgotten one is missed.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alive, run, start } from './child.ts'
import { commandsOf, walk } from './walk.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packMs = 120_000
const readyMs = 60_000
const endMs = 30_000

/** Files that a package without them would be broken. */
const needed = [
  'package.json',
  'README.md',
  'LICENSE',
  'dist/controller/cli/main.js',
  'dist/test/simulator/main.js',
  'controller/store/migrations/0001-first.sql',
  'playbooks/library/suspend.yaml',
  'inventory/example/network.yaml',
]
/** What nobody who installs it needs. */
const unwanted = /\.test\.js|\.map$|^dist\/test\/(?!simulator\/)|^test\/|\.ts$/

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
}

async function main(): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nullroute-package-'))
  try {
    const { tarball, files } = await pack(folder)
    const problems = [
      ...needed
        .filter((name) => !files.includes(name))
        .map((name) => `${name} is not in the package`),
      ...files.filter((name) => unwanted.test(name)).map((name) => `${name} is in the package`),
    ]
    process.stdout.write(`the package holds ${files.length} files\n`)
    const app = await install(folder, tarball)
    return [...problems, ...(await useFiles(app)), ...(await useDemo(app))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function pack(folder: string): Promise<{ tarball: string; files: readonly string[] }> {
  const args = ['pack', '--silent', '--pack-destination', folder]
  const packed = await run('npm', args, { cwd: root, ms: packMs })
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (packed.code !== 0 || tarball === undefined)
    throw new Error(`npm pack failed:\n${packed.text}`)
  const list = await run('tar', ['-tzf', join(folder, tarball)], { cwd: folder, ms: packMs })
  const files = list.text.split('\n').filter((line) => line !== '')
  return {
    tarball: join(folder, tarball),
    files: files.map((name) => name.replace(/^package\//, '')),
  }
}

/** A folder with the package in its node_modules, as `npm install` of the tarball would make it. */
async function install(folder: string, tarball: string): Promise<string> {
  const app = join(folder, 'app')
  const modules = join(app, 'node_modules')
  const home = join(modules, 'nullroute')
  mkdirSync(home, { recursive: true })
  mkdirSync(join(modules, '.bin'))
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }\n')
  await run('tar', ['-xzf', tarball, '-C', home, '--strip-components=1'], {
    cwd: folder,
    ms: packMs,
  })
  const manifest = manifestOf(home)
  for (const name of Object.keys(manifest.dependencies)) {
    const target = join(modules, name)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), target)
  }
  for (const [name, file] of Object.entries(manifest.bin)) {
    chmodSync(join(home, file), 0o755)
    symlinkSync(join('..', 'nullroute', file), join(modules, '.bin', name))
  }
  return app
}

function manifestOf(folder: string): Manifest {
  // Our own file.
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

async function useFiles(app: string): Promise<readonly string[]> {
  const expected: readonly (readonly [readonly string[], RegExp])[] = [
    [['--version'], new RegExp(`^${manifestOf(root).version.replaceAll('.', '\\.')}\\s*$`)],
    [['init', 'isp'], /Made isp/],
    [['inventory', 'check', 'isp/inventory'], /is right/],
    [['playbook', 'check', 'isp/playbooks'], /is right/],
    [['playbook', 'check'], /is right/],
    [['platforms'], /juniper_junos/],
    [['token', 'create', '--data', 'isp/data', '--name', 'admin', '--role', 'admin'], /^nr_\S+$/m],
    [['audit', 'verify', '--data', 'isp/data'], /is whole/],
  ]
  const problems: string[] = []
  for (const [args, answer] of expected) {
    const { code, text } = await run('npx', ['--no-install', 'nullroute', ...args], {
      cwd: app,
      ms: 30_000,
    })
    if (code === 0 && answer.test(text))
      process.stdout.write(`  ok npx nullroute ${args.join(' ')}\n`)
    else problems.push(`npx nullroute ${args.join(' ')}: exit code ${code}\n${text}`)
  }
  return problems
}

async function useDemo(app: string): Promise<readonly string[]> {
  const problems: string[] = []
  const demo = start('npx', ['--no-install', 'nullroute', 'demo'], app)
  try {
    await demo.until(/Ctrl-C ends all of it/, readyMs)
    const chosen = commandsOf(demo.text()).filter(
      (command) => / (?:suspend|release) esthost /.test(command) && !command.includes('--dry-run'),
    )
    if (chosen.length !== 2 || !chosen.every((one) => one.startsWith('npx nullroute '))) {
      problems.push(`the tour has no suspend and release by npx:\n${demo.text()}`)
    }
    for (const command of chosen) {
      const problem = await walk(command, app)
      if (problem !== undefined) problems.push(`${command}\n${problem}`)
    }
    const pids = demo.descendants()
    await demo.interrupt(endMs)
    const left = alive(pids)
    if (left.length > 0) problems.push(`processes are left after Ctrl-C: ${left.join(', ')}`)
    if (existsSync(join(app, '.demo/credentials.json'))) problems.push('credentials are left')
    process.stdout.write(`  ok Ctrl-C ended all ${pids.length} processes\n`)
  } catch (fault) {
    problems.push(fault instanceof Error ? fault.message : String(fault))
  } finally {
    demo.kill()
  }
  return problems
}

const problems = await main()
for (const problem of problems) process.stdout.write(`\nPROBLEM ${problem}\n`)
process.stdout.write(
  problems.length === 0 ? 'the package holds\n' : `\n${problems.length} problems\n`,
)
process.exitCode = problems.length === 0 ? 0 : 1
