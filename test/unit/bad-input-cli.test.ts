// What can be typed wrongly, and what may stand at the other end in place of a controller → exactly what is said, and the exit code.

import { createServer as createHttp, type Server } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcp,
  type Socket,
  type Server as TcpServer,
} from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { unreachable } from '../../controller/cli/faults.ts'
import { contextOf, run } from './cli-local-run.ts'

const why = ['--category', 'spam', '--summary', 'x']
const token = `nr_${'A'.repeat(43)}`

describe('typing', () => {
  const cases: readonly (readonly [
    argv: readonly string[],
    code: number,
    says: string,
    environment?: Readonly<Record<string, string>>,
  ])[] = [
    [
      ['suspent', 'esthost'],
      2,
      `nullroute: unknown command 'suspent'
(Did you mean suspend?)
  see \`nullroute --help\``,
    ],
    [
      ['suspend', 'esthost', '--sumary', 'x'],
      2,
      `nullroute: unknown option '--sumary'
(Did you mean --summary?)
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', 'extra', ...why],
      2,
      `nullroute: too many arguments for 'suspend'. Expected 1 argument but got 2.
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend'],
      2,
      `nullroute: whom to suspend? expected the id of one customer, found none
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost'],
      2,
      `nullroute: --category and --summary missing: a decision says why
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', ...why],
      2,
      `nullroute: whom to suspend? expected the id of one customer, found none
  see \`nullroute suspend --help\``,
    ],
    [
      ['block', '--prefix', '203.0.113.9', '--port', 'sw1:p1', ...why],
      2,
      `nullroute: what to block? expected exactly one of --prefix, --port and --neighbor, found --prefix and --port
  see \`nullroute block --help\``,
    ],
    [
      ['block', ...why],
      2,
      `nullroute: what to block? expected exactly one of --prefix, --port and --neighbor, found none
  see \`nullroute block --help\``,
    ],
    [
      ['block', '--port', 'p1', ...why],
      2,
      `nullroute: option '--port <device:interface>' argument 'p1' is invalid. expected DEVICE:INTERFACE or DEVICE:ADDRESS, such as sw1.ams:p1 or edge1.ams:192.0.2.9
  see \`nullroute block --help\``,
    ],
    [
      ['block', '--port', ':p1', ...why],
      2,
      `nullroute: option '--port <device:interface>' argument ':p1' is invalid. expected DEVICE:INTERFACE or DEVICE:ADDRESS, such as sw1.ams:p1 or edge1.ams:192.0.2.9
  see \`nullroute block --help\``,
    ],
    [
      ['block', '--neighbor', 'edge1:', ...why],
      2,
      `nullroute: option '--neighbor <device:address>' argument 'edge1:' is invalid. expected DEVICE:INTERFACE or DEVICE:ADDRESS, such as sw1.ams:p1 or edge1.ams:192.0.2.9
  see \`nullroute block --help\``,
    ],
    [
      ['block', '--prefix', '203.0.113.9', '--vrf', 'red', ...why],
      2,
      `nullroute: --vrf goes with --neighbor
  see \`nullroute block --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--expires', 'soon'],
      2,
      `nullroute: option '--expires <when>' argument 'soon' is invalid. expected a time span such as 14d, a day such as 2026-12-07, or a time with its zone such as 2026-12-07T00:00:00Z
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--expires', '14'],
      2,
      `nullroute: option '--expires <when>' argument '14' is invalid. expected a time span such as 14d, a day such as 2026-12-07, or a time with its zone such as 2026-12-07T00:00:00Z
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--expires', '0d'],
      2,
      `nullroute: option '--expires <when>' argument '0d' is invalid. expected a time span such as 90s, 30m, 12h, 14d or 2w
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--expires', '2026-02-30'],
      2,
      `nullroute: option '--expires <when>' argument '2026-02-30' is invalid. expected a time span such as 14d, a day such as 2026-12-07, or a time with its zone such as 2026-12-07T00:00:00Z
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--expires', '2026-12-07T00:00:00'],
      2,
      `nullroute: option '--expires <when>' argument '2026-12-07T00:00:00' is invalid. expected a time span such as 14d, a day such as 2026-12-07, or a time with its zone such as 2026-12-07T00:00:00Z
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--expires', '1.5h'],
      2,
      `nullroute: option '--expires <when>' argument '1.5h' is invalid. expected a time span such as 14d, a day such as 2026-12-07, or a time with its zone such as 2026-12-07T00:00:00Z
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--online'],
      2,
      `nullroute: --online goes with --dry-run: a real change always reads the device first
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--override', 'hour_budget'],
      2,
      `nullroute: option '--override <guard=reason>' argument 'hour_budget' is invalid. expected GUARD=REASON, such as hour_budget="agreed with NOC"
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--evidence', 'https://desk.example/1#sha256=9f86'],
      2,
      `nullroute: option '--evidence <url[#sha256=hex]>' argument 'https://desk.example/1#sha256=9f86' is invalid. expected URL#sha256=HEX with the 64 hexadecimal digits that \`sha256sum FILE\` prints; found 4 characters after "="
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', 'esthost', ...why, '--timeout', '5'],
      2,
      `nullroute: option '--timeout <span>' argument '5' is invalid. expected a time span such as 90s, 30m, 12h, 14d or 2w
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', '--plan', '01M8EB7EBEH238N6GHHQVXD11Z'],
      2,
      `nullroute: --plan and --digest go together: the dry run prints both
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', '--plan', '01M8EB7EBEH238N6GHHQVXD11Z', '--digest', 'd1', '--ticket', 'T'],
      2,
      `nullroute: --ticket: the plan holds the whole decision, so leave this out; or make a new plan
  see \`nullroute suspend --help\``,
    ],
    [
      ['suspend', '--plan', '01M8EB7EBEH238N6GHHQVXD11Z', '--digest', 'd1', '--automated'],
      2,
      `nullroute: --automated: the plan holds the whole decision, so leave this out; or make a new plan
  see \`nullroute suspend --help\``,
    ],
    [
      ['block', '--plan', '01M8EB7EBEH238N6GHHQVXD11Z', '--digest', 'd1', '--vrf', 'red'],
      2,
      `nullroute: --vrf: the plan holds the whole decision, so leave this out; or make a new plan
  see \`nullroute block --help\``,
    ],
    [
      ['release', 'esthost'],
      2,
      `nullroute: --reason is missing: why is it lifted?
  see \`nullroute release --help\``,
    ],
    [
      ['extend', '01M8EB7EBEH238N6GHHQVXD11Z', '--reason', 'x'],
      2,
      `nullroute: required option '--expires <when>' not specified
  see \`nullroute extend --help\``,
    ],
    [
      ['lookup'],
      2,
      `nullroute: missing required argument 'address'
  see \`nullroute lookup --help\``,
    ],
    [
      ['audit', 'tail', '-n', 'many'],
      2,
      `nullroute: option '-n, --lines <count>' argument 'many' is invalid. expected a whole number from 1 to 10000
  see \`nullroute audit tail --help\``,
    ],
    [
      ['audit', 'search', '--from', 'yesterday'],
      2,
      `nullroute: option '--from <time>' argument 'yesterday' is invalid. expected a time span such as 14d, a day such as 2026-12-07, or a time with its zone such as 2026-12-07T00:00:00Z
  see \`nullroute audit search --help\``,
    ],
    [
      ['token', 'create', '--name', 'x', '--role', 'king'],
      2,
      `nullroute: --role: found "king", expected one of abuse, engineer, approver, auditor, admin
  see \`nullroute token create --help\``,
    ],
    [
      ['token', 'create', '--name', 'x', '--role', 'approver'],
      2,
      `nullroute: the role approver needs --person EMAIL: nobody approves what the same person asked for, whatever the token
  see \`nullroute token create --help\``,
    ],
    [
      ['device', 'prepare'],
      2,
      `nullroute: give the name of a device, or --platform P: one of the two
  see \`nullroute device prepare --help\``,
    ],
    [
      ['device', 'prepare', '--platform', 'vax'],
      2,
      'nullroute: there is no platform "vax", expected one of cisco_ios, frr, juniper_junos, linux',
    ],
    [
      ['audit', 'verify'],
      2,
      `nullroute: required option '--data <dir>' not specified
  see \`nullroute audit verify --help\``,
    ],
    [
      ['status'],
      2,
      `nullroute: NULLROUTE_URL is "controller:8080": expected an address with http:// or https://, such as http://127.0.0.1:8080
  see \`nullroute status --help\``,
      { NULLROUTE_TOKEN: token, NULLROUTE_URL: 'controller:8080' },
    ],
    [
      ['status'],
      2,
      `nullroute: NULLROUTE_URL is "": expected an address with http:// or https://, such as http://127.0.0.1:8080
  see \`nullroute status --help\``,
      { NULLROUTE_TOKEN: token, NULLROUTE_URL: '' },
    ],
    [
      ['status'],
      2,
      `nullroute: NULLROUTE_URL is "http://\\u001b[2J": expected an address with http:// or https://, such as http://127.0.0.1:8080
  see \`nullroute status --help\``,
      { NULLROUTE_TOKEN: token, NULLROUTE_URL: 'http://\u001b[2J' },
    ],
    [
      ['status'],
      1,
      'nullroute: NULLROUTE_TOKEN is not set: make a token with `nullroute token create --data DIR --name NAME --role ROLE` on the controller, and export it',
      { NULLROUTE_URL: 'http://127.0.0.1:1' },
    ],
    [
      ['status'],
      1,
      'nullroute: NULLROUTE_TOKEN is not set: make a token with `nullroute token create --data DIR --name NAME --role ROLE` on the controller, and export it',
      { NULLROUTE_URL: 'http://127.0.0.1:1', NULLROUTE_TOKEN: '' },
    ],
    [
      ['status'],
      1,
      'nullroute: NULLROUTE_TOKEN holds blanks or signs that no token has, expected nr_ and 43 letters, digits, - or _: copy it again, without anything around it',
      { NULLROUTE_URL: 'http://127.0.0.1:1', NULLROUTE_TOKEN: 'nr_a b' },
    ],
  ]

  it.each(cases.map((one) => ({ one, line: one[0].join(' '), code: one[1] })))(
    '$line is told so, with exit code $code',
    async ({ one }) => {
      const [argv, code, says, environment] = one
      // Whatever passes all checks by mistake must reach nobody.
      const own = environment ?? { NULLROUTE_URL: 'http://127.0.0.1:1', NULLROUTE_TOKEN: token }
      const ran = await run(argv, own)

      expect({ ...ran, err: ran.err.trimEnd() }).toEqual({ code, err: says, out: '' })
    },
  )
})

async function listening(server: Server | TcpServer): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function status(scheme: string, at: string): Promise<string> {
  const ran = await run(['status'], { NULLROUTE_URL: `${scheme}://${at}`, NULLROUTE_TOKEN: token })
  return `${ran.code} ${ran.err.trimEnd().replaceAll(at, '127.0.0.1:PORT')}`
}

describe('in place of a controller', () => {
  it.each([
    [
      'a page',
      200,
      'text/html',
      '<html>',
      'nullroute: http://127.0.0.1:PORT answered 200 with text/html and no JSON, expected a nullroute controller: correct NULLROUTE_URL, or look at the proxy before it',
    ],
    [
      'a proxy without its controller',
      502,
      'text/html',
      '<html>Bad Gateway',
      'nullroute: http://127.0.0.1:PORT answered 502 and no problem+json, expected a nullroute controller: correct NULLROUTE_URL, or look at the proxy before it',
    ],
    [
      'JSON that breaks off',
      200,
      'application/json',
      '{"a":',
      'nullroute: http://127.0.0.1:PORT answered 200 with application/json and no JSON, expected a nullroute controller: correct NULLROUTE_URL, or look at the proxy before it',
    ],
    [
      'another program',
      404,
      'application/json',
      '{"error":"x"}',
      'nullroute: http://127.0.0.1:PORT answered 404 and no problem+json, expected a nullroute controller: correct NULLROUTE_URL, or look at the proxy before it',
    ],
    [
      'a text',
      200,
      'text/plain',
      'ok',
      'nullroute: http://127.0.0.1:PORT answered 200 with text/plain and no JSON, expected a nullroute controller: correct NULLROUTE_URL, or look at the proxy before it',
    ],
    [
      'a redirection to nowhere',
      301,
      'text/html',
      '',
      'nullroute: http://127.0.0.1:PORT answered 301 and no problem+json, expected a nullroute controller: correct NULLROUTE_URL, or look at the proxy before it',
    ],
  ] as const)('%s is told so', async (...given) => {
    const [, code, type, text, says] = given
    const at = await listening(
      createHttp((_request, reply) => {
        reply.writeHead(code, { 'content-type': type, connection: 'close' })
        reply.end(text)
      }),
    )

    expect(await status('http', at)).toBe(`4 ${says}`)
  })

  it('one that speaks another protocol is told so', async () => {
    const http = await listening(createHttp((_request, reply) => reply.end()))
    const ssh = await listening(createTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))

    expect(await status('https', http)).toBe(
      `4 nullroute: can't reach the controller at https://127.0.0.1:PORT (what listens there does not speak TLS): begin NULLROUTE_URL with http:// if that is what it speaks`,
    )
    expect(await status('http', ssh)).toBe(
      `4 nullroute: can't reach the controller at http://127.0.0.1:PORT (what answers there is not HTTP): begin NULLROUTE_URL with https:// if that is what it speaks`,
    )
  })

  it.each([
    [
      'ECONNREFUSED',
      'nobody listens there',
      'is `nullroute serve` running, and is NULLROUTE_URL right?',
    ],
    ['ENOTFOUND', 'there is no host of that name', 'correct NULLROUTE_URL'],
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'nobody that is trusted here has signed its certificate',
      'name the certificate of its authority in NODE_EXTRA_CA_CERTS',
    ],
    [
      'CERT_HAS_EXPIRED',
      'its certificate has expired',
      'renew the certificate of the controller or its proxy',
    ],
    [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'its certificate is for another name',
      'write NULLROUTE_URL with the name that the certificate has',
    ],
    ['ETIMEDOUT', 'as Node says it', 'is `nullroute serve` running, and is NULLROUTE_URL right?'],
  ])('one that is not reached (%s) is told with what to do', (code, found, remedy) => {
    const cause = Object.assign(new Error('as Node says it'), { code })
    const fault = unreachable(
      contextOf(),
      'https://nullroute.example',
      new TypeError('x', { cause }),
    )

    expect({ exit: fault.exit, message: fault.message }).toEqual({
      exit: 4,
      message: `can't reach the controller at https://nullroute.example (${found}): ${remedy}`,
    })
  })
})
