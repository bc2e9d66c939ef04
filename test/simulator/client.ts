// A plain SSH client for the tests of the simulator: types lines, waits for texts. It knows no platform, and nothing of the agent.

import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2'
import type { RunningDevice } from './simulator.ts'

/** One shell on a simulated device. */
export interface Shell {
  /** Everything received so far. */
  readonly text: string
  /** The pieces in which it came. */
  readonly chunks: readonly string[]
  /** Sends text as it is. */
  send(text: string): void
  /** Waits until what was received since the last `expect` matches, and answers it. Fails when the connection ends first. */
  expect(pattern: RegExp): Promise<string>
  /** Types a line and waits for what must follow. */
  type(line: string, until: RegExp): Promise<string>
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>
  close(): void
}

/** Logs in and opens a shell; refused log-ins reject. */
export async function openShell(
  device: RunningDevice,
  options: Partial<ConnectConfig> & { readonly columns?: number; readonly rows?: number } = {},
): Promise<Shell> {
  const client = new ssh2.Client()
  const { columns = 511, rows = 24, ...config } = options
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject)
    client.connect({
      host: device.host,
      port: device.port,
      username: device.username,
      password: device.password,
      ...config,
    })
  })
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.shell({ cols: columns, rows, term: 'vt100' }, (error, opened) =>
      error === undefined ? resolve(opened) : reject(error),
    )
  })
  return watch(client, channel)
}

function watch(client: ssh2.Client, channel: ClientChannel): Shell {
  let text = ''
  let from = 0
  let over = false
  const chunks: string[] = []
  const waiting = new Set<() => void>()
  const wake = (): void => {
    waiting.forEach((one) => one())
  }
  channel.on('data', (bytes: Buffer) => {
    chunks.push(bytes.toString())
    text += bytes.toString()
    wake()
  })
  const ended = new Promise<void>((resolve) => {
    client.on('close', () => {
      over = true
      wake()
      resolve()
    })
  })
  client.on('error', () => client.end())
  channel.on('close', () => client.end())
  const expectText = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const seen = text.slice(from)
        const match = pattern.exec(seen)
        if (match !== null) {
          waiting.delete(look)
          from += match.index + match[0].length
          resolve(seen.slice(0, match.index + match[0].length))
        } else if (over) {
          waiting.delete(look)
          reject(
            new Error(
              `the connection ended before ${pattern}; last: ${JSON.stringify(seen.slice(-300))}`,
            ),
          )
        }
      }
      waiting.add(look)
      look()
    })
  return {
    get text() {
      return text
    },
    chunks,
    send: (typed) => void channel.write(typed),
    expect: expectText,
    type(line, until) {
      channel.write(`${line}\r`)
      return expectText(until)
    },
    ended,
    close: () => void client.end(),
  }
}

/** Asks line by line: what stands between the echo and the next prompt. */
export interface Dialogue {
  readonly shell: Shell
  ask(line: string): Promise<string>
  askAll(lines: readonly string[]): Promise<string[]>
}

/** A dialogue at prompts of this form; waits for the first. `echo: false` where nothing comes back. */
export async function startDialogue(
  shell: Shell,
  prompt: RegExp,
  { echo = true }: { readonly echo?: boolean } = {},
): Promise<Dialogue> {
  await shell.expect(prompt)
  const ask = async (line: string): Promise<string> => {
    const text = (await shell.type(line, prompt)).replaceAll('\r\n', '\n')
    const answer = echo ? text.slice(text.indexOf('\n') + 1) : text
    return answer.replace(prompt, '')
  }
  return {
    shell,
    ask,
    async askAll(lines) {
      const answers: string[] = []
      for (const line of lines) answers.push(await ask(line))
      return answers
    },
  }
}
