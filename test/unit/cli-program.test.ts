// The program as a whole: every command has its help, its examples and --json; and none of it needs a controller.

import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../controller/cli/context.ts'
import { createProgram, leaves, runCli } from '../../controller/cli/program.ts'

function context(): Context & { readonly said: () => string; readonly remarked: () => string } {
  const sink = () => {
    let text = ''
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        done()
      },
    })
    return { stream, text: () => text }
  }
  const out = sink()
  const err = sink()
  return {
    stdout: out.stream,
    stderr: err.stream,
    stdin: new PassThrough(),
    environment: {},
    signal: new AbortController().signal,
    said: out.text,
    remarked: err.text,
  }
}

const words = (path: string): readonly string[] => path.split(' ').slice(1)

function paths(): readonly string[] {
  const path = (command: ReturnType<typeof createProgram>): string =>
    command.parent === null ? command.name() : `${path(command.parent)} ${command.name()}`
  return leaves(createProgram(context())).map(path)
}

describe('every command', () => {
  it('is there, as the contract names them', () => {
    const names = new Set(paths().map((path) => words(path)[0]))

    const contract =
      'init serve demo plan suspend terminate block release extend retry approve reject status watch lookup device freeze unfreeze audit inventory playbook keys token platforms'
    expect(contract.split(' ').filter((name) => !names.has(name))).toEqual([])
  })

  it.each(paths())('%s: help with examples, and --json', async (path) => {
    const run = context()

    const exit = await runCli([...words(path), '--help'], run)

    expect(exit).toBe(0)
    expect(run.remarked()).toBe('')
    expect(run.said()).toContain(`Usage: ${path}`)
    expect(run.said()).toContain('Examples:\n  $ nullroute')
    expect(run.said()).toContain('--json')
  })

  it('has examples that can be parsed as they are printed', () => {
    const flags = new Map(
      leaves(createProgram(context())).map((command) => [
        command,
        new Set(command.options.flatMap(({ long, short }) => [long, short])),
      ]),
    )
    const unknown = [...flags].flatMap(([command, known]) => {
      let help = ''
      command.configureOutput({
        writeOut: (text) => {
          help += text
        },
      })
      command.outputHelp()
      const examples = help.split('\n').filter((line) => line.startsWith('  $ '))
      const given = examples.flatMap((line) => line.match(/(?<= )--?[a-z][a-z-]*/g) ?? [])
      return given.filter((flag) => !known.has(flag)).map((flag) => `${command.name()} ${flag}`)
    })

    expect(unknown).toEqual([])
  })
})

describe('a run that goes wrong', () => {
  it('is told once, in one block, with where to look', async () => {
    const run = context()

    const exit = await runCli(['statsu'], run)

    expect(exit).toBe(2)
    expect(run.said()).toBe('')
    expect(run.remarked()).toBe(
      "nullroute: unknown command 'statsu'\n(Did you mean status?)\n  see `nullroute --help`\n",
    )
  })

  it('is a problem where JSON is wanted, but not for what stands behind --', async () => {
    const json = context()
    const text = context()

    await runCli(['status', '--json'], json)
    await runCli(['statsu', '--', '--json'], text)

    expect(JSON.parse(json.remarked())).toMatchObject({ code: 'no_token', exit: 1 })
    expect(text.remarked()).toContain('nullroute: unknown command')
  })
})

describe('what is loaded before a command is known', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))

  // Imports that remain when types have gone; `import()` is not among them.
  function staticImports(file: string): readonly string[] {
    const text = readFileSync(join(root, file), 'utf8')
    const names = text.matchAll(
      /^(?:import(?: (?!type )[\w{},*\s]+? from)?|export [{*][\w{},*\s]*? from) '([^']+)'/gm,
    )
    return [...names].map(([, name = '']) => name)
  }

  it('is only what the commands’ own flags need: no database, SSH client, server or schema library', () => {
    const packages = new Set<string>()
    const seen = new Set(['controller/cli/main.ts'])
    for (const file of seen) {
      for (const name of staticImports(file)) {
        if (name.startsWith('.')) seen.add(posix.join(posix.dirname(file), name))
        else if (!name.startsWith('node:')) packages.add(name)
      }
    }

    expect(seen.size).toBeGreaterThan(20)
    expect([...packages].sort()).toEqual([
      'cli-table3',
      'commander',
      'eventsource-parser',
      'picocolors',
    ])
    expect([...seen].filter((file) => !file.startsWith('controller/'))).toEqual([])
  })
})
