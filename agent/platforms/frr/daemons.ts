// The daemons of FRR: what one that is dead would configure stands in no configuration, so that its absence says nothing. Tried on 8.4.4.

import { type Answer, free, type Line, type Stop } from '../../platform.ts'
import { unknownOutput } from '../output.ts'

/** Asked behind `show running-config`: only with that does a session that is open take up a daemon again that was restarted. */
export const daemonsLine: Line = free('show daemons', 'exec')

/** The daemons that vtysh is connected to; undefined where it doesn't know the question. */
export function daemonsIn(answer: Answer): ReadonlySet<string> | undefined {
  const text = answer.text.trim()
  if (text === '' || text.startsWith('% ')) return undefined
  const names = text.split(/\s+/)
  if (!names.every((name) => /^[a-z][\w-]*$/.test(name))) {
    throw unknownOutput(answer, 'names of daemons')
  }
  return new Set(names)
}

/** Why nothing can be said or changed of what this daemon does. */
export function daemonStop(
  daemons: ReadonlySet<string> | undefined,
  name: string,
): Stop | undefined {
  if (daemons === undefined || daemons.has(name)) return undefined
  return {
    code: 'not_prepared',
    message: `${name} is not running on the device: what it does is not in force, and its part of the configuration can't be seen or changed`,
    remedy: `start it on the host (\`systemctl restart frr\`), and find out why it ended`,
  }
}

/** Says whether a save would hold everything: vtysh writes the file from what the daemons say, without those that are dead. */
export const whole = {
  reads: [free('show watchfrr', 'exec'), daemonsLine],
  gap([watched = '', connected = '']: readonly string[]): string | undefined {
    // `  staticd              Down`; where watchfrr itself does not run there are no such lines.
    const down = [
      ...watched.matchAll(/^ +(\S+) +(?:Init|Down|Connecting|Unresponsive)\b.*$/gm),
    ].map(([, name]) => name ?? '')
    const daemons = daemonsIn({ line: daemonsLine, text: connected })
    const dead = ['zebra', 'staticd'].filter((name) => daemons?.has(name) === false)
    const names = [...new Set([...down, ...dead])]
    if (names.length === 0) return undefined
    return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not running, and a file written now would be without that part of the configuration`
  },
} as const

/** Without what vtysh says of its own connections, in whatever answer it comes. */
export function clean(text: string): string {
  return text.replaceAll(/^Warning: connecting to \w+\.\.\.(?:success|failed)!\n/gm, '')
}
