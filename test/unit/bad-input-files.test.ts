// Bad config files, folders, known_hosts and keys → exactly what is said of them.

import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseKnownHosts, unreadKnownHosts } from '../../agent/host-keys.ts'
import { credentialsFor, unusableKey } from '../../agent/secrets.ts'
import { loadConfig } from '../../controller/config.ts'
import { loadInventory } from '../../inventory/load.ts'
import type { Auth } from '../../inventory/model.ts'
import { printProblem } from '../../inventory/problem.ts'
import { makeHostKey } from '../simulator/host-key.ts'
import { platformNames } from './inventory-texts.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nullroute-bad-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const messageOf = (fault: Error) => fault.message

describe('a config file with', () => {
  it.each([
    [
      'a bracket that is never closed',
      'agents: { devicesAtOnce: 1\n',
      `nullroute.yaml:2:1: a bracket that was opened is not closed before this line
    found:    the end of the file
    expected: } for each { and ] for each [, indented further than what they belong to
    do:       close the bracket; a line before this one may be where it is missing`,
    ],
    [
      'a section that does not exist',
      'agent: {}\n',
      `nullroute.yaml:1:1: agent: there is no field "agent" here
    found:    agent
    expected: a field that the schema names
    do:       look for a spelling mistake, or remove it (the one that \`nullroute init\` writes shows what there is)`,
    ],
    [
      'two mistakes at once',
      'agents: { devicesAtOnce: 0 }\napi: { requestPerMinute: 5 }\n',
      `nullroute.yaml:1:26: agents.devicesAtOnce: 0 is not a number of at least 1
    found:    0
    expected: a number of at least 1
    do:       write a number of at least 1
nullroute.yaml:2:8: api.requestPerMinute: there is no field "requestPerMinute" here
    found:    requestPerMinute
    expected: a field that the schema names
    do:       look for a spelling mistake, or remove it (the one that \`nullroute init\` writes shows what there is)`,
    ],
    [
      'a number beyond its bound',
      'agents: { devicesAtOnce: 20000 }\n',
      `nullroute.yaml:1:26: agents.devicesAtOnce: 20000 is not a number of at most 10000
    found:    20000
    expected: a number of at most 10000
    do:       write a number of at most 10000`,
    ],
    [
      'a number in quotes',
      'drainMs: "10000"\n',
      `nullroute.yaml:1:10: drainMs: "10000" is not a number
    found:    "10000"
    expected: a number
    do:       write a number, without quotes`,
    ],
    [
      'a number with its unit',
      'drainMs: 10s\n',
      `nullroute.yaml:1:10: drainMs: 10s is not a number
    found:    10s
    expected: a number
    do:       write a number`,
    ],
    [
      'a host without a port',
      'listen: localhost\n',
      `nullroute.yaml:1:9: listen: "localhost" is no address with a port
    found:    localhost
    expected: HOST:PORT or [IPV6]:PORT, with a port from 0 to 65535
    do:       write it like 127.0.0.1:8080, or "[::1]:8080" in quotes`,
    ],
    [
      'a port beyond all',
      'listen: "127.0.0.1:70000"\n',
      `nullroute.yaml:1:9: listen: "127.0.0.1:70000" is no address with a port
    found:    "127.0.0.1:70000"
    expected: HOST:PORT or [IPV6]:PORT, with a port from 0 to 65535
    do:       write it like 127.0.0.1:8080, or "[::1]:8080" in quotes`,
    ],
    [
      'an IPv6 address without brackets',
      'listen: "::1:8080"\n',
      `nullroute.yaml:1:9: listen: "::1:8080" is no address with a port
    found:    "::1:8080"
    expected: HOST:PORT or [IPV6]:PORT, with a port from 0 to 65535
    do:       write it like 127.0.0.1:8080, or "[::1]:8080" in quotes`,
    ],
    [
      'a level that does not exist',
      'log: { level: verbose }\n',
      `nullroute.yaml:1:15: log.level: verbose is not one of trace, debug, info, warn, error
    found:    verbose
    expected: one of trace, debug, info, warn, error
    do:       write one of trace, debug, info, warn, error`,
    ],
    [
      'a list for the whole',
      '- inventory\n',
      `nullroute.yaml:1:1: a list is not a map: { … }
    found:    a list
    expected: a map: { … }
    do:       write a map: { … }`,
    ],
    [
      'a name twice',
      'data: a\ndata: b\n',
      `nullroute.yaml:2:1: data: "data" stands here twice: first on line 1
    found:    "data" again
    expected: each name once
    do:       merge the two, or rename one`,
    ],
    [
      'a number that looks octal',
      'drainMs: 010000\n',
      `nullroute.yaml:1:10: drainMs: 010000 reads as the number 10000
    found:    010000
    expected: a number as it is meant, or a text in quotes
    do:       write 10000 if you mean the number, or "010000" if you mean the text`,
    ],
    [
      'a field that does not exist',
      'audit: { origin: log.example, key: secret }\n',
      `nullroute.yaml:1:31: audit.key: there is no field "key" here
    found:    key
    expected: a field that the schema names
    do:       look for a spelling mistake, or remove it (the one that \`nullroute init\` writes shows what there is)`,
    ],
  ] as const)('%s is told so', async (_, text, says) => {
    const folder = newFolder()
    const config = join(folder, 'nullroute.yaml')
    writeFileSync(config, text)
    const said = await loadConfig({ config }).then(() => 'nothing', messageOf)

    expect(said.replaceAll(`${folder}/`, '')).toBe(says)
  })

  it('nothing in it is one that leaves all to the defaults', async () => {
    const config = join(newFolder(), 'nullroute.yaml')
    writeFileSync(config, '\ufeff# nothing yet\r\n')

    expect(await loadConfig({ config })).toMatchObject({ host: '127.0.0.1', port: 8080 })
  })

  it('a name at which there is none, or a folder, is told so, and a flag as it is typed', async () => {
    const folder = newFolder()
    const said = async (flags: Parameters<typeof loadConfig>[0]) =>
      (await loadConfig(flags).then(() => 'nothing', messageOf)).replaceAll(folder, 'F')

    expect(
      await said({ config: join(folder, 'nowhere.yaml') }),
    ).toBe(`F/nowhere.yaml:1:1: no such file or folder
    found:    nothing at this path
    expected: a file, or a folder of files, in YAML
    do:       correct the path, or make a start with \`nullroute init\``)
    expect(await said({ config: folder })).toBe(`F:1:1: no file that can be read to its end
    found:    a folder
    expected: a file
    do:       name a file in it; inside an inventory or playbooks, move its files up: folders in a folder are not read`)
    expect(await said({ listen: '8080' })).toBe(
      '--listen: found "8080", expected HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080',
    )
  })
})

describe('an inventory at', () => {
  it.each([
    [
      'a path at which nothing is',
      (d: string) => join(d, 'nowhere'),
      `F/nowhere:1:1: no such file or folder
    found:    nothing at this path
    expected: a file, or a folder of files, in YAML
    do:       correct the path, or make a start with \`nullroute init\``,
    ],
    [
      'an empty folder',
      (d: string) => d,
      `F:1:1: the folder holds no inventory
    found:    no file named *.yaml or *.yml
    expected: at least one
    do:       name another folder, or make a start with \`nullroute init\``,
    ],
    [
      'a file in UTF-16',
      (d: string) => {
        writeFileSync(join(d, 'x.yaml'), Buffer.from('version: 1\n', 'utf16le'))
        return d
      },
      `F/x.yaml:1:1: not UTF-8 text
    found:    a zero byte, as binary files have
    expected: YAML as UTF-8 text
    do:       save the file as UTF-8, without anything before or behind the YAML`,
    ],
    [
      'a file in Latin-1',
      (d: string) => {
        writeFileSync(join(d, 'x.yaml'), Buffer.from('version: 1 # K\xf6ln\n', 'latin1'))
        return d
      },
      `F/x.yaml:1:1: not UTF-8 text
    found:    bytes that no UTF-8 text has
    expected: YAML as UTF-8 text
    do:       save the file as UTF-8, without anything before or behind the YAML`,
    ],
    [
      'a program',
      (d: string) => {
        writeFileSync(join(d, 'x.yaml'), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0]))
        return d
      },
      `F/x.yaml:1:1: not UTF-8 text
    found:    a zero byte, as binary files have
    expected: YAML as UTF-8 text
    do:       save the file as UTF-8, without anything before or behind the YAML`,
    ],
    [
      'links that lead to each other',
      (d: string) => {
        symlinkSync('y.yaml', join(d, 'x.yaml'))
        symlinkSync('x.yaml', join(d, 'y.yaml'))
        return join(d, 'x.yaml')
      },
      `F/x.yaml:1:1: a symbolic link that leads back to itself
    found:    a loop of links
    expected: a link that ends at a file or folder
    do:       remove the link, or point it at the file`,
    ],
    [
      'a folder with the name of a file',
      (d: string) => {
        mkdirSync(join(d, 'x.yaml'))
        return d
      },
      `F/x.yaml:1:1: no file that can be read to its end
    found:    a folder
    expected: a file
    do:       name a file in it; inside an inventory or playbooks, move its files up: folders in a folder are not read`,
    ],
    [
      'a link to a device without end',
      (d: string) => {
        symlinkSync('/dev/zero', join(d, 'x.yaml'))
        return d
      },
      `F/x.yaml:1:1: no file that can be read to its end
    found:    a pipe, socket or device
    expected: a file
    do:       copy its text into a file`,
    ],
    [
      'a path that goes on below a file',
      (d: string) => {
        writeFileSync(join(d, 'x'), '')
        return join(d, 'x', 'y.yaml')
      },
      `F/x/y.yaml:1:1: a part of the path before the last is no folder
    found:    a file where a folder should be
    expected: folders up to the last name
    do:       correct the path`,
    ],
    [
      'a file of 65 MiB',
      (d: string) => {
        writeFileSync(join(d, 'x.yaml'), '')
        truncateSync(join(d, 'x.yaml'), 65 * 1024 * 1024)
        return d
      },
      `F/x.yaml:1:1: the file is too large to be read
    found:    68157440 bytes
    expected: at most 67108864 bytes
    do:       split it: a folder of files is merged`,
    ],
    [
      'a link to nothing',
      (d: string) => {
        symlinkSync('gone', join(d, 'x.yaml'))
        return d
      },
      `F/x.yaml:1:1: no such file or folder
    found:    nothing at this path
    expected: a file, or a folder of files, in YAML
    do:       correct the path, or make a start with \`nullroute init\``,
    ],
  ] as const)('%s is told so, and nothing hangs', async (_, make, says) => {
    const folder = newFolder()
    const result = await loadInventory(make(folder), platformNames)

    expect(
      result.ok ? 'nothing' : result.problems.map(printProblem).join('\n').replaceAll(folder, 'F'),
    ).toBe(says)
  })
})

const key = 'AAAAC3NzaC1lZDI1NTE5AAAAILJ0zJpcDjpBkQ0b8XIhY0a5FcbL6tM1jUqCh6F3Bq3K'

describe('a known_hosts file with', () => {
  it.each([
    [
      'a host alone',
      '192.0.2.1',
      'known_hosts:1: found one field, expected three, `hosts kind key`: complete the line, or take it out and run `nullroute keys scan`',
    ],
    [
      'no key',
      '192.0.2.1 ssh-ed25519',
      'known_hosts:1: found 2 fields, expected three, `hosts kind key`: complete the line, or take it out and run `nullroute keys scan`',
    ],
    [
      'a key that is not base64',
      '192.0.2.1 ssh-ed25519 AAAA!b64',
      'known_hosts:1: found "AAAA!b64" as key, expected base64 without blanks: the line was cut or wrapped, so take it out and run `nullroute keys scan`',
    ],
    [
      'a key of another kind',
      `192.0.2.1 ssh-rsa ${key}`,
      'known_hosts:1: found a key of the kind ssh-ed25519, expected ssh-rsa as the line says: take it out and run `nullroute keys scan`',
    ],
    [
      'a key that breaks off',
      '192.0.2.1 ssh-ed25519 AAAA',
      'known_hosts:1: found a key that can not be read, expected ssh-ed25519 as the line says: take it out and run `nullroute keys scan`',
    ],
    [
      'a certificate authority',
      `@cert-authority * ssh-ed25519 ${key}`,
      'known_hosts:1: found @cert-authority, expected host keys: certificate authorities are not supported, so add the keys of the hosts themselves (`nullroute keys scan`)',
    ],
    [
      'a marker that does not exist',
      `@trusted 192.0.2.1 ssh-ed25519 ${key}`,
      'known_hosts:1: found the marker @trusted, expected @revoked or none: correct it, or take the line out',
    ],
    [
      'a hash without its half',
      `|1|salt ssh-ed25519 ${key}`,
      'known_hosts:1: found the hashed host "|1|salt", expected |1|salt|hash: take the line out and run `nullroute keys scan`',
    ],
    [
      'a hash that is too short',
      `|1|c2FsdA==|aGFzaA== ssh-ed25519 ${key}`,
      'known_hosts:1: found a hashed host with a salt of 4 and a hash of 4 bytes, expected 20 each: take the line out and run `nullroute keys scan`',
    ],
    [
      'a hash of another kind',
      `|2|c2FsdA==|aGFzaA== ssh-ed25519 ${key}`,
      'known_hosts:1: found the hashed host "|2|c2FsdA==|aGFzaA==", expected |1|salt|hash: take the line out and run `nullroute keys scan`',
    ],
    [
      'a binary file',
      'v\u0000e\u0000r',
      'known_hosts:1: found signs that no text has, expected `hosts kind key` in ASCII: save the file as UTF-8, not as UTF-16, or take it from another place',
    ],
    [
      'a page of a web server',
      '<html><body>404 Not Found</body></html>',
      'known_hosts:1: found "Found</body></html>" as key, expected base64 without blanks: the line was cut or wrapped, so take it out and run `nullroute keys scan`',
    ],
    [
      'a key on two lines',
      `192.0.2.1 ssh-ed25519 ${key.slice(0, 30)}\n${key.slice(30)}`,
      `known_hosts:1: found "AAAAC3NzaC1lZDI1NTE5AAAAILJ0zJ" as key, expected base64 without blanks: the line was cut or wrapped, so take it out and run \`nullroute keys scan\`
known_hosts:2: found one field, expected three, \`hosts kind key\`: complete the line, or take it out and run \`nullroute keys scan\``,
    ],
  ] as const)('%s is told so', (_, text, says) => {
    const { keys, problems } = parseKnownHosts(text, 'known_hosts')

    expect(keys).toEqual([])
    expect(
      problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'),
    ).toBe(says)
  })

  it('a byte order mark before the first line is read as it is meant', () => {
    const { keys, problems } = parseKnownHosts(
      `\ufeff192.0.2.1 ssh-ed25519 ${key}\r\n`,
      'known_hosts',
    )

    expect(problems).toEqual([])
    expect(keys.map((one) => one.matches('192.0.2.1', 22))).toEqual([true])
  })

  it('nothing, because it is not there or may not be read, is told so', () => {
    const said = (code: string, message: string) =>
      unreadKnownHosts('isp/known_hosts', Object.assign(new Error(message), { code })).problems

    expect(said('ENOENT', 'x')).toEqual([
      {
        file: 'isp/known_hosts',
        line: 0,
        message:
          'found no such file, expected the host keys: `nullroute keys scan --out isp/known_hosts` makes it',
      },
    ])
    expect(said('EACCES', 'EACCES: permission denied')).toEqual([
      {
        file: 'isp/known_hosts',
        line: 0,
        message: "can't be read (EACCES: permission denied): correct the path or the rights",
      },
    ])
  })
})

describe('a login by', () => {
  const cases: readonly (readonly [
    what: string,
    auth: (folder: string) => Auth,
    environment: Readonly<Record<string, string>>,
    says: string,
  ])[] = [
    [
      'a variable that is not set',
      () => ({ kind: 'password', passwordEnv: 'EDGE_PASSWORD' }),
      {},
      'credentials_missing: environment variable EDGE_PASSWORD is not set, expected the secret that the inventory names it for',
    ],
    [
      'a variable that is empty',
      () => ({ kind: 'password', passwordEnv: 'EDGE_PASSWORD' }),
      { EDGE_PASSWORD: '' },
      'credentials_missing: environment variable EDGE_PASSWORD is empty, expected the secret that the inventory names it for',
    ],
    [
      'an agent that does not run',
      () => ({ kind: 'agent' }),
      {},
      'credentials_missing: the inventory says `auth: { agent: true }`, but SSH_AUTH_SOCK is not set: expected the socket of a running ssh-agent',
    ],
    [
      'a key that is not there',
      (folder) => ({ kind: 'key', privateKeyFile: join(folder, 'k') }),
      {},
      'credentials_missing: private key F/k is not there, expected the file that the inventory names',
    ],
    [
      'a folder',
      (folder) => ({ kind: 'key', privateKeyFile: folder }),
      {},
      'credentials_missing: private key F is a folder, expected the key itself',
    ],
  ]

  it.each(cases)('%s is told so', async (_, auth, environment, says) => {
    const folder = newFolder()
    const said = await credentialsFor(auth(folder), environment).then(
      () => 'nothing',
      (fault: Error & { code: string }) => `${fault.code}: ${fault.message}`,
    )

    expect(said.replaceAll(folder, 'F')).toBe(says)
  })

  const plain = makeHostKey()
  const locked = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    privateKeyEncoding: {
      type: 'pkcs1',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'right',
    },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })

  it.each([
    [
      'a text that is no key',
      'hello',
      undefined,
      `the private key keys/netops for netops@192.0.2.1 can't be used: found no private key that is known, expected one in OpenSSH or PEM form (\`ssh-keygen -t ed25519\` makes it)`,
    ],
    [
      'half a key',
      plain.private.slice(0, 150),
      undefined,
      `the private key keys/netops for netops@192.0.2.1 can't be used: found no private key that is known, expected one in OpenSSH or PEM form (\`ssh-keygen -t ed25519\` makes it)`,
    ],
    [
      'the public key',
      plain.public,
      undefined,
      `the private key keys/netops for netops@192.0.2.1 can't be used: found a public key, expected the private one that belongs to it`,
    ],
    [
      'a locked key without a passphrase',
      locked.privateKey,
      undefined,
      `the private key keys/netops for netops@192.0.2.1 can't be used: it is encrypted, and the inventory names no passphraseEnv`,
    ],
    [
      'a locked key with another passphrase',
      locked.privateKey,
      'wrong',
      `the private key keys/netops for netops@192.0.2.1 can't be used: the passphrase in the variable that passphraseEnv names does not open it`,
    ],
  ] as const)('%s is told so', (_, privateKey, passphrase, says) => {
    const of = {
      address: '192.0.2.1',
      username: 'netops',
      auth: { kind: 'key', privateKeyFile: 'keys/netops' } as const,
    }
    let said = 'nothing'
    try {
      const secret = passphrase === undefined ? {} : { passphrase }
      new ssh2.Client().connect({ host: '127.0.0.1', username: 'x', privateKey, ...secret })
    } catch (fault) {
      said = unusableKey(of, fault).message
    }

    expect(said).toBe(says)
  })
})
