// How a shell is made readable, and how commands say no: recordings of whole sessions, read one byte at a time.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { free, type OpenState } from '../../agent/platform.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { sudo } from '../../agent/platforms/linux/session.ts'

// The terminal takes them out before a platform sees the text.
const [esc, bell] = [String.fromCharCode(27), String.fromCharCode(7)]
const escapes = new RegExp(`${esc}(?:\\[[?\\d;]*[a-zA-Z]|\\][^${bell}]*${bell})`, 'g')
const read = (name: string) =>
  readFileSync(new URL(`../fixtures/linux/${name}.txt`, import.meta.url), 'utf8')
    .replaceAll('\r', '')
    .replaceAll(escapes, '')
const seen = { host: '', nonce: '7f3a', facts: {} }

/** Exit statuses of the prompts in a recording, in order. */
function statuses(text: string) {
  const prompt = linux.prompt(seen)
  const found: (number | undefined)[] = []
  for (let end = 1; end <= text.length; end++) {
    const one = prompt(text.slice(Math.max(0, end - 200), end))
    if (one !== undefined) found.push(one.status)
  }
  return found
}

describe('the prompt of the shell', () => {
  it.each([
    // Each command of the worked example succeeds, but the repeated route: it is there already.
    ['session_enforce_and_release_root_raw', [2]],
    ['session_enforce_and_release_sudo_raw', [1, 2]],
    ['session_sudo_password_required_raw', [1]],
  ])('%s: shows each exit status', (name, failures) => {
    const all = statuses(read(name))
    expect(all.length).toBeGreaterThan(1)
    expect(all.filter((status) => status !== 0)).toEqual(failures)
  })

  it('is seen behind output without a line end', () => {
    const text = 'no newlinenr-7f3a:0> '
    expect(linux.prompt(seen)(text)).toEqual({ context: 'shell', status: 0, start: 10 })
  })

  it.each([
    "PS1='nr-7f3a:$?> ",
    'nr-0000:0> ',
    'nr-7f3a:0>',
    'nr-7f3a:> ',
    'nr-7f3a:0> \n',
    'nr-7f3a:0> ls',
    'root@vm:~# ',
  ])('is not %j', (text) => {
    expect(linux.prompt(seen)(text)).toBeUndefined()
  })
})

describe('opening a shell', () => {
  const at = (stage: string, text: string): OpenState => ({
    stage,
    text,
    nonce: '7f3a',
    facts: {},
    host: '',
  })

  it.each(['ssh_session_root_raw', 'ssh_session_user_raw'])(
    '%s: waits for any prompt, then starts a shell whose prompt it knows',
    (name) => {
      const text = read(name)
      const end = /^\S+@vm:~[#$] /m.exec(text)
      const greeting = text.slice(0, (end?.index ?? 0) + (end?.[0].length ?? 0))
      expect(linux.open(at('start', greeting.slice(0, -12)))).toBeUndefined()
      expect(linux.open(at('start', greeting))).toEqual({
        do: 'send',
        next: 'shell',
        text: `exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TERM=dumb HOME=/ NR_CLIENT="\${SSH_CONNECTION%% *}" PS1='nr-7f3a:$?> ' PS2='' sh`,
      })
    },
  )

  it('does not take the echo of that line for the prompt', () => {
    const echo = "exec env -i PATH=/bin PS1='nr-7f3a:$?> ' PS2='' sh\n"
    for (let end = 0; end <= echo.length; end++) {
      expect(linux.open(at('shell', echo.slice(0, end)))).toBeUndefined()
    }
    expect(linux.open(at('shell', `${echo}nr-7f3a:0> `))).toMatchObject({ text: 'stty -echo' })
    expect(linux.open(at('quiet', 'stty -echo\nnr-7f3a:0> '))).toMatchObject({ next: 'facts' })
  })

  it.each([
    ['0', 'yes'],
    ['1001', 'no'],
  ])('as user %s asks who and what it is', (user, root) => {
    const version = read('version').split('\n').slice(0, 2).join('\n')
    expect(linux.open(at('facts', `${user}\nLinux\n${version}\nnr-7f3a:0> `))).toEqual({
      do: 'ready',
      context: 'shell',
      facts: { root, version: 'iproute2 6.1.0', nft: '1.0.6' },
    })
  })

  it.each([
    ['another system', '0\nFreeBSD\nsh: ip: not found\nnr-7f3a:127> '],
    ['BusyBox', '0\nLinux\nip: unrecognized option: V\nBusyBox v1.36.1\nnr-7f3a:1> '],
  ])('refuses %s', (_, text) => {
    expect(linux.open(at('facts', text))).toMatchObject({ do: 'refuse', code: 'wrong_platform' })
  })

  it('refuses vtysh', () => {
    const text = 'Hello, this is FRRouting (version 8.4.4).\n\nedge# '
    expect(linux.open(at('start', text))).toMatchObject({ do: 'refuse', code: 'wrong_platform' })
  })

  it('never answers where sudo asks for a password', () => {
    expect(linux.question?.test(read('session_sudo_password_required_raw'))).toBe(true)
    expect(linux.question?.test('sudo: a password is required\nnr-7f3a:1> ')).toBe(false)
    expect(linux.question?.test('"comment": "password: "}\nnr-7f3a:0> ')).toBe(false)
  })

  it('takes out what sudo says about a name server, and nothing else', () => {
    const json = '[{"dst":"203.0.113.9"}]\n'
    const noise = 'sudo: unable to resolve host sw1: Name or service not known\n'
    expect(linux.clean?.(noise + json)).toBe(json)
    const message = `\nMessage from syslogd@sw1 at Nov 27 10:00:00 ...\n kernel:[1.2] trouble\n`
    expect(linux.clean?.(`[{"dst":"203.${message}0.113.9"}]\n`)).toBe(json)
    expect(linux.clean?.(`nr-7f3a:0> ${message}`)).toBe('nr-7f3a:0> ')
    const wall = '\nBroadcast message from root@sw1 (pts/0) (Fri Nov 27 10:00:00 2026):\n\nbye\n\n'
    expect(linux.clean?.(`nr-7f3a:0> ${wall}`)).toBe('nr-7f3a:0> ')
    expect(linux.clean?.('sudo: a password is required\n')).toBe('sudo: a password is required\n')
  })
})

describe('what a command refuses', () => {
  const line = (text: string) => free(text, 'shell')
  const add = 'ip route prepend blackhole 203.0.113.9/32 proto 223'
  const remove = 'ip route del blackhole 203.0.113.9/32 proto 223'

  it.each([
    [add, 'ip_route_add_exists', 2],
    [`${sudo} ${add}`, 'ip_route_add_exists', 2],
    [remove, 'ip_route_del_missing', 2],
    ["nft delete element inet nullroute dst4 '{ 203.0.113.9 }'", 'nft_delete_element_missing', 1],
  ])('is not, where it is as it should be already: %s', (text, recording, status) => {
    expect(linux.failed(line(text), read(recording), status)).toBeUndefined()
  })

  it.each([
    [add, 'ip_route_add_bad_prefix', 1],
    [add, 'ip_route_add_hostbits_v4', 2],
    [add, 'ip_route_del_missing', 2],
    [remove, 'ip_route_add_exists', 2],
    ['ip link set dev nosuch down', 'ip_link_show_missing', 1],
    ["nft add element inet nullroute dst4 '{ 203.0.113.0/24 }'", 'nft_add_element_overlap', 1],
    ["nft 'delete element a ; add element b'", 'nft_delete_element_missing', 1],
    ["nft add element inet nullroute dst4 '{ x }'", 'nft_syntax_error', 1],
    ['ip -batch -', 'ip_batch_failure', 1],
  ])('is anything else with a status: %s', (text, recording, status) => {
    const refusal = linux.failed(line(text), read(recording), status)
    expect(refusal?.message).toBe(read(recording).trim())
  })

  it('is a silent failure too, and never a status of 0', () => {
    expect(linux.failed(line('false'), '', 1)?.message).toBe('exit status 1')
    expect(linux.failed(line(add), 'RTNETLINK answers: Operation not permitted', 0)).toBeUndefined()
  })
})
