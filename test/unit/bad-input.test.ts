// Bad inventories and playbooks → exactly what is said of them: the place, what was found, what was expected, what to do.
// Whoever changes a message changes it here, and reads it as the network engineer would who has just made that mistake.

import { describe, expect, it } from 'vitest'
import { parseInventory } from '../../inventory/load.ts'
import { printProblem } from '../../inventory/problem.ts'
import { parsePlaybooks } from '../../playbooks/load.ts'
import { platformNames, source } from './inventory-texts.ts'

/** A name, a text, and what is said of it. */
type Case = readonly [what: string, text: string, says: string]

const head = `version: 1
defaults: { username: netops, auth: { agent: true }, knownHosts: known_hosts }
devices:
  edge1: { platform: cisco_ios, address: 10.0.0.1, uplinks: [Gi0/1] }
customers:
`
const a = (rest: string) => `${head}  a: { name: A, ${rest} }\n`
const two = (one: string, other: string) =>
  `${head}  a: { name: A, ${one} }\n  b: { name: B, ${other} }\n`
const dev = (rest: string) =>
  `${head.replace('customers:\n', '')}  b: { platform: frr, address: 10.0.0.2, ${rest} }\n`

describe('an inventory with', () => {
  const cases: readonly Case[] = [
    [
      'an empty file',
      '',
      `isp.yaml:1:1: the file is empty
    found:    nothing
    expected: a map: { … }
    do:       write what it should hold, or remove it`,
    ],
    [
      'a file of comments',
      '# nothing yet\n',
      `isp.yaml:1:1: the file is empty
    found:    nothing
    expected: a map: { … }
    do:       write what it should hold, or remove it`,
    ],
    [
      'a list in place of the whole',
      '- version: 1\n',
      `isp.yaml:1:1: a list is not a map: { … }
    found:    a list
    expected: a map: { … }
    do:       write a map: { … }`,
    ],
    [
      'a byte order mark, which is passed over',
      '\ufeffversion: 2\n',
      `isp.yaml:1:11: version: 2 is not 1
    found:    2
    expected: 1
    do:       write 1`,
    ],
    [
      'CRLF line ends, which are line ends',
      'version: 1\r\nsites: {}\r\n',
      `isp.yaml:2:1: sites: there is no field "sites" here
    found:    sites
    expected: a field that the schema names
    do:       look for a spelling mistake, or remove it (\`--schema\` prints what there is)`,
    ],
    [
      'a tab as indentation',
      'version: 1\ndevices:\n\tedge1: {}\n',
      `isp.yaml:3:1: a tab stands where the line is indented
    found:    \\u0009edge1: {}
    expected: blanks
    do:       replace the tab by two blanks; most editors can do so for a whole file`,
    ],
    [
      'a bracket that is never closed',
      'version: 1\ndevices: { edge1: { platform: frr\n',
      `isp.yaml:3:1: a bracket that was opened is not closed before this line
    found:    the end of the file
    expected: } for each { and ] for each [, indented further than what they belong to
    do:       close the bracket; a line before this one may be where it is missing`,
    ],
    [
      'a quote that is never closed',
      'version: 1\ndevices: { edge1: { site: "ams } }\n',
      `isp.yaml:3:1: a quote that was opened is never closed
    found:    the end of the file
    expected: a second quote behind the text
    do:       close the quote; a line before this one may be where it is missing`,
    ],
    [
      'a second document',
      'version: 1\n---\nversion: 1\n',
      `isp.yaml:2:1: a second document begins here
    found:    ---
    expected: one document in a file
    do:       remove the line "---", or make a file of its own of what follows`,
    ],
    [
      'a name twice',
      `version: 1\ndiscardNextHops: []\ndiscardNextHops: []\n`,
      `isp.yaml:3:1: discardNextHops: "discardNextHops" stands here twice: first on line 2
    found:    "discardNextHops" again
    expected: each name once
    do:       merge the two, or rename one`,
    ],
    [
      'an alias to nothing',
      `version: 1\ndefaults: *none\n`,
      `isp.yaml:2:11: an alias (*) without its anchor (&) before it
    found:    *none
    expected: an anchor before
    do:       use anchors sparingly: groups and defaults do the same with better errors`,
    ],
    [
      'a bomb of aliases',
      `version: 1\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n`,
      `isp.yaml:3:8: aliases unfold to more than can be meant
    found:    *a
    expected: few of them
    do:       use anchors sparingly: groups and defaults do the same with better errors`,
    ],
    [
      'an alias to itself',
      `version: 1\ndefaults: &d { site: *d }\n`,
      `isp.yaml:2:22: defaults.site: a map is not a text
    found:    a map
    expected: a text
    do:       write a text`,
    ],
    [
      'a merge key',
      `version: 1\ngroups:\n  edge: &e { site: ams }\n  core: { <<: *e }\n`,
      `isp.yaml:4:11: groups.core.<<: a merge key (<<) is not read
    found:    <<
    expected: the fields themselves
    do:       use groups and defaults, which do the same, or write the fields out`,
    ],
    [
      'a tag of YAML',
      `version: !!float 1\n`,
      `isp.yaml:1:10: a tag of YAML (! or !!) means nothing here
    found:    version: !!float 1
    expected: plain values
    do:       remove the tag, or put the whole into quotes if it belongs to the text`,
    ],
    [
      'a tag of nobody',
      `version: 1\ncontroller: !secret { addresses: [] }\n`,
      `isp.yaml:2:13: a tag of YAML (! or !!) means nothing here
    found:    controller: !secret { addresses: [] }
    expected: plain values
    do:       remove the tag, or put the whole into quotes if it belongs to the text`,
    ],
    [
      'a prototype as a name',
      `version: 1\ngroups:\n  __proto__: { site: ams }\n`,
      `isp.yaml:3:3: groups.__proto__: "__proto__" can not be a name
    found:    __proto__
    expected: any other name
    do:       rename it`,
    ],
    [
      'a list as a name',
      `version: 1\ngroups:\n  ? [a, b]\n  : {}\n`,
      `isp.yaml:3:5: groups.?: a name here is no plain text
    found:    a list, a map or nothing
    expected: a text as name
    do:       put the name into quotes, and values in lists or fields of their own`,
    ],
    [
      'nothing behind a name',
      `version: 1\ndevices:\n`,
      `isp.yaml:2:9: devices: "devices" has no value
    found:    nothing
    expected: a map: { … }
    do:       write a map: { … }, or remove the line`,
    ],
    [
      'lists five thousand deep',
      `version: 1\ndiscardNextHops: ${'['.repeat(5000)}${']'.repeat(5000)}\n`,
      `isp.yaml:2:1: lists or maps stand too deep inside each other
    found:    discardNextHops: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ … ]]]]]]]]]]]]]]]]]]]]]]]]]]
    expected: a few levels
    do:       remove the brackets that are too many`,
    ],
    [
      'another version',
      'version: 2\n',
      `isp.yaml:1:10: version: 2 is not 1
    found:    2
    expected: 1
    do:       write 1`,
    ],
    [
      'the version as text',
      'version: "1"\n',
      `isp.yaml:1:10: version: "1" is not 1
    found:    "1"
    expected: 1
    do:       write 1`,
    ],
    [
      'a section that does not exist',
      'version: 1\nroutes: []\n',
      `isp.yaml:2:1: routes: there is no field "routes" here
    found:    routes
    expected: a field that the schema names
    do:       look for a spelling mistake, or remove it (\`--schema\` prints what there is)`,
    ],
    [
      'a field with a spelling mistake',
      dev('adress: 10.0.0.3'),
      `isp.yaml:5:42: devices.b.adress: there is no field "adress" here
    found:    adress
    expected: a field that the schema names
    do:       look for a spelling mistake, or remove it (\`--schema\` prints what there is)`,
    ],
    [
      'a no-break space behind a colon in brackets',
      `${head.trimEnd()} { a:\u00a0{ name: A, prefixes: [192.0.2.0/24] } }\n`,
      `isp.yaml:5:17: a character on this line looks like a blank or like nothing, but YAML reads it as text: \\u00a0 (no-break space)
    found:    customers: { a:\\u00a0{ name: A, prefixes: [192.0.2.0/24] } }
    expected: plain blanks between the parts of YAML
    do:       replace \\u00a0 (no-break space) by a blank, or remove it; text that needs it belongs into quotes`,
    ],
    [
      'a no-break space behind a colon',
      `${head}  a:\u00a0{ name: A, prefixes: [192.0.2.0/24] }\n`,
      `isp.yaml:6:14: a character on this line looks like a blank or like nothing, but YAML reads it as text: \\u00a0 (no-break space)
    found:    a:\\u00a0{ name: A, prefixes: [192.0.2.0/24] }
    expected: plain blanks between the parts of YAML
    do:       replace \\u00a0 (no-break space) by a blank, or remove it; text that needs it belongs into quotes`,
    ],
    [
      'an ideographic space at the end of a line',
      `${head}  a: { name: A, prefixes: [192.0.2.0/24] }\u3000\n`,
      `isp.yaml:6:43: a character on this line looks like a blank or like nothing, but YAML reads it as text: \\u3000 (ideographic space)
    found:    a: { name: A, prefixes: [192.0.2.0/24] }\\u3000
    expected: plain blanks between the parts of YAML
    do:       replace \\u3000 (ideographic space) by a blank, or remove it; text that needs it belongs into quotes`,
    ],
    [
      'no-break spaces as indentation',
      `${head}\u00a0\u00a0a: { name: A, prefixes: [192.0.2.0/24] }\n`,
      `isp.yaml:5:11: customers: "customers" has no value
    found:    nothing
    expected: a map: { … }
    do:       write a map: { … }, or remove the line
isp.yaml:6:1: \\u00a0\\u00a0a: there is no field "\\u00a0\\u00a0a" here
    found:    \\u00a0\\u00a0a
    expected: a field that the schema names
    do:       look for a spelling mistake, or remove it (\`--schema\` prints what there is)`,
    ],
    [
      'a blank of typesetting before a bracket',
      `${head}  a: { name: "A", prefixes:\u2003[192.0.2.0/24] }\n`,
      `isp.yaml:6:29: a character on this line looks like a blank or like nothing, but YAML reads it as text: \\u2003
    found:    a: { name: "A", prefixes:\\u2003[192.0.2.0/24] }
    expected: plain blanks between the parts of YAML
    do:       replace \\u2003 by a blank, or remove it; text that needs it belongs into quotes`,
    ],
    [
      'a no-break space in quotes, which is text, and a comma that is missing',
      `${head}  a: { name: "M\u00a0AG" prefixes: [192.0.2.0/24] }\n`,
      `isp.yaml:6:14: Block collections are not allowed within flow collections
    found:    a: { name: "M\\u00a0AG" prefixes: [192.0.2.0/24] }
    expected: YAML
    do:       correct the YAML here: look at indentation, quotes and brackets
isp.yaml:6:21: Unexpected scalar token
    found:    a: { name: "M\\u00a0AG" prefixes: [192.0.2.0/24] }
    expected: YAML
    do:       correct the YAML here: look at indentation, quotes and brackets`,
    ],
    [
      'yes where true is meant',
      dev('legacy: yes'),
      `isp.yaml:5:50: devices.b.legacy: yes is not true or false
    found:    yes
    expected: true or false
    do:       write true or false`,
    ],
    [
      'a number that looks octal',
      dev('port: 022'),
      `isp.yaml:5:48: devices.b.port: 022 reads as the number 22
    found:    022
    expected: a number as it is meant, or a text in quotes
    do:       write 22 if you mean the number, or "022" if you mean the text`,
    ],
    [
      'a name that YAML takes for a number without end',
      `${head}  a: { name: .inf, prefixes: [192.0.2.0/24] }\n`,
      `isp.yaml:6:14: customers.a.name: .inf reads as the number Infinity
    found:    .inf
    expected: a number as it is meant, or a text in quotes
    do:       write ".inf" if you mean the text; as a number it is taken nowhere here`,
    ],
    [
      'a name that YAML takes for no number',
      `${head}  a: { name: .NaN, prefixes: [192.0.2.0/24] }\n`,
      `isp.yaml:6:14: customers.a.name: .NaN reads as the number NaN
    found:    .NaN
    expected: a number as it is meant, or a text in quotes
    do:       write ".NaN" if you mean the text; as a number it is taken nowhere here`,
    ],
    [
      'a hexadecimal number',
      dev('port: 0x16'),
      `isp.yaml:5:48: devices.b.port: 0x16 reads as the number 22
    found:    0x16
    expected: a number as it is meant, or a text in quotes
    do:       write 22 if you mean the number, or "0x16" if you mean the text`,
    ],
    [
      'a port number beyond all',
      dev('port: 70000'),
      `isp.yaml:5:48: devices.b.port: 70000 is not a number of at most 65535
    found:    70000
    expected: a number of at most 65535
    do:       write a number of at most 65535`,
    ],
    [
      'a part of a millisecond',
      dev('deadlineMs: 250.5'),
      `isp.yaml:5:54: devices.b.deadlineMs: 250.5 is not a whole number
    found:    250.5
    expected: a whole number
    do:       write a whole number`,
    ],
    [
      'a number in quotes',
      dev('port: "22"'),
      `isp.yaml:5:48: devices.b.port: "22" is not a number
    found:    "22"
    expected: a number
    do:       write a number, without quotes`,
    ],
    [
      'a number where a text is meant',
      dev('site: 12'),
      `isp.yaml:5:48: devices.b.site: 12 is not a text
    found:    12
    expected: a text
    do:       put it into quotes: "12"`,
    ],
    [
      'a date where a number is meant',
      dev('port: 2026-11-27'),
      `isp.yaml:5:48: devices.b.port: 2026-11-27 is not a number
    found:    2026-11-27
    expected: a number
    do:       write a number`,
    ],
    [
      'a text of control characters',
      dev('site: "ams\\e[31m\\nedge9: ok"'),
      `isp.yaml:5:48: devices.b.site: "ams\\e[31m\\nedge9: ok" is not a text on one line, without control characters
    found:    "ams\\e[31m\\nedge9: ok"
    expected: a text on one line, without control characters
    do:       write a text on one line, without control characters`,
    ],
    [
      'a text without end',
      dev(`site: ${'x'.repeat(5000)}`),
      `isp.yaml:5:48: devices.b.site: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx … xxxxxxxxxxxxxxxxxxxxxxxxxx is not a text of at most 200
    found:    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx … xxxxxxxxxxxxxxxxxxxxxxxxxx
    expected: a text of at most 200
    do:       write a text of at most 200`,
    ],
    [
      'an id in capitals',
      `version: 1\ngroups: { Edge: {} }\n`,
      `isp.yaml:2:11: groups.Edge: "Edge" is no id
    found:    Edge
    expected: lower-case letters, digits, and . _ - (at most 63, a letter or digit first)
    do:       rename it, for example edge1.ams`,
    ],
    [
      'an id with an escape code',
      `version: 1\ngroups: { "edge\\e[2J": {} }\n`,
      `isp.yaml:2:11: groups.edge\\u001b[2J: "edge\\u001b[2J" is no id
    found:    edge\\u001b[2J
    expected: lower-case letters, digits, and . _ - (at most 63, a letter or digit first)
    do:       rename it, for example edge1.ams`,
    ],
    [
      'no platform',
      `version: 1\ndefaults: { username: x, auth: { agent: true }, knownHosts: k }\ndevices:\n  r: { address: 10.0.0.1 }\n`,
      `isp.yaml:4:3: devices.r: r has no platform
    found:    nothing
    expected: platform here, in its group or in defaults
    do:       add "platform: …" here, in its group or in defaults`,
    ],
    [
      'a platform of another product',
      dev('').replace('frr', 'cisco_iosxr9'),
      `isp.yaml:5:18: devices.b.platform: there is no platform "cisco_iosxr9"
    found:    platform "cisco_iosxr9"
    expected: one of cisco_ios, frr, juniper_junos, linux
    do:       correct the name, or add what it names`,
    ],
    [
      'no way to log in',
      `version: 1\ndefaults: { username: x, auth: {}, knownHosts: k }\n`,
      `isp.yaml:2:32: defaults.auth: no way to log in
    found:    an empty map
    expected: exactly one of privateKeyFile, passwordEnv, agent: true
    do:       add one of them`,
    ],
    [
      'a password in the file',
      `version: 1\ndefaults: { username: x, auth: { password: hunter2 } }\n`,
      `isp.yaml:2:32: defaults.auth: no way to log in
    found:    a map
    expected: exactly one of privateKeyFile, passwordEnv, agent: true
    do:       add one of them
isp.yaml:2:34: defaults.auth.password: there is no field "password" here
    found:    password
    expected: a field that the schema names
    do:       a secret never stands in these files: name the environment variable that holds it, with "passwordEnv: NAME"`,
    ],
    [
      'a passphrase without a key',
      `version: 1\ndefaults: { auth: { agent: true, passphraseEnv: P } }\n`,
      `isp.yaml:2:19: defaults.auth: passphraseEnv belongs to a privateKeyFile
    found:    a map
    expected: exactly one of privateKeyFile, passwordEnv, agent: true
    do:       keep one of them`,
    ],
    [
      'a variable that can not be',
      `version: 1\ndefaults: { auth: { passwordEnv: "my password" } }\n`,
      `isp.yaml:2:34: defaults.auth.passwordEnv: "my password" is not the name of an environment variable: letters, digits and _
    found:    "my password"
    expected: the name of an environment variable: letters, digits and _
    do:       write the name of an environment variable: letters, digits and _`,
    ],
    [
      'an address with its length',
      dev('').replace('10.0.0.2', '10.0.0.2/24'),
      `isp.yaml:5:32: devices.b.address: "10.0.0.2/24" is no IP address
    found:    10.0.0.2/24
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'an address with a leading zero',
      dev('gateways: [010.0.0.1]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "010.0.0.1" has leading zeros, which some systems read as octal: write it without
    found:    010.0.0.1
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'an address with a part too large',
      dev('gateways: [10.0.0.256]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "10.0.0.256" has a part above 255
    found:    10.0.0.256
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'an address with a zone',
      dev('gateways: ["fe80::1%eth0"]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "fe80::1%eth0" has a zone: only global addresses are taken
    found:    "fe80::1%eth0"
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'an IPv4-mapped address',
      dev('gateways: ["::ffff:0a00:1"]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "::ffff:0a00:1" is an IPv4-mapped address: write the IPv4 address
    found:    "::ffff:0a00:1"
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'IPv4 inside IPv6',
      dev('gateways: ["64:ff9b::10.0.0.1"]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "64:ff9b::10.0.0.1" mixes IPv4 into IPv6: write the IPv4 address, or eight groups
    found:    "64:ff9b::10.0.0.1"
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'two gaps in an address',
      dev('gateways: ["2001::db8::1"]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "2001::db8::1" has "::" twice
    found:    "2001::db8::1"
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'seven groups',
      dev('gateways: ["1:2:3:4:5:6:7"]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "1:2:3:4:5:6:7" has not eight groups
    found:    "1:2:3:4:5:6:7"
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'a host name for an address',
      dev('gateways: [gw.example]'),
      `isp.yaml:5:53: devices.b.gateways[0]: "gw.example" is no IP address
    found:    gw.example
    expected: an IPv4 or IPv6 address without length
    do:       write one address: 203.0.113.9 or 2001:db8::9`,
    ],
    [
      'an address without quotes that ends in a colon',
      a('prefixes: [2001:db8::]'),
      `isp.yaml:6:28: customers.a.prefixes[0]: "2001:db8::" reads as a map, not as an address, because a colon ends it
    found:    a map
    expected: an address or prefix
    do:       put it into quotes: "2001:db8::", or with its length: 2001:db8::/128`,
    ],
    [
      'host bits',
      a('prefixes: [203.0.113.9/24]'),
      `isp.yaml:6:28: customers.a.prefixes[0]: "203.0.113.9/24" has host bits set: the prefix of that length is 203.0.113.0/24, the single address is 203.0.113.9
    found:    203.0.113.9/24
    expected: an IPv4 or IPv6 prefix with its host bits zero
    do:       write the prefix as it is routed: 203.0.113.0/26 or 2001:db8::/48`,
    ],
    [
      'host bits of IPv6',
      a('prefixes: ["2001:db8::1/48"]'),
      `isp.yaml:6:28: customers.a.prefixes[0]: "2001:db8::1/48" has host bits set: the prefix of that length is 2001:db8::/48, the single address is 2001:db8::1
    found:    "2001:db8::1/48"
    expected: an IPv4 or IPv6 prefix with its host bits zero
    do:       write the prefix as it is routed: 203.0.113.0/26 or 2001:db8::/48`,
    ],
    [
      'a prefix length too large',
      a('prefixes: [203.0.113.0/33]'),
      `isp.yaml:6:28: customers.a.prefixes[0]: "203.0.113.0/33" has no prefix length between 0 and 32 behind the slash
    found:    203.0.113.0/33
    expected: an IPv4 or IPv6 prefix with its host bits zero
    do:       write the prefix as it is routed: 203.0.113.0/26 or 2001:db8::/48`,
    ],
    [
      'a netmask for a length',
      a('prefixes: [203.0.113.0/255.255.255.0]'),
      `isp.yaml:6:28: customers.a.prefixes[0]: "203.0.113.0/255.255.255.0" has no prefix length between 0 and 32 behind the slash
    found:    203.0.113.0/255.255.255.0
    expected: an IPv4 or IPv6 prefix with its host bits zero
    do:       write the prefix as it is routed: 203.0.113.0/26 or 2001:db8::/48`,
    ],
    [
      'no length behind the slash',
      a('prefixes: [203.0.113.0/]'),
      `isp.yaml:6:28: customers.a.prefixes[0]: "203.0.113.0/" has no prefix length between 0 and 32 behind the slash
    found:    203.0.113.0/
    expected: an IPv4 or IPv6 prefix with its host bits zero
    do:       write the prefix as it is routed: 203.0.113.0/26 or 2001:db8::/48`,
    ],
    [
      'a range for a prefix',
      a('prefixes: ["203.0.113.0-203.0.113.63"]'),
      `isp.yaml:6:28: customers.a.prefixes[0]: "203.0.113.0-203.0.113.63" is no IP address
    found:    "203.0.113.0-203.0.113.63"
    expected: an IPv4 or IPv6 prefix with its host bits zero
    do:       write the prefix as it is routed: 203.0.113.0/26 or 2001:db8::/48`,
    ],
    [
      'the same prefix in two spellings',
      a('prefixes: ["2001:db8::/48", "2001:0DB8:0:0::/48"]'),
      `isp.yaml:6:45: customers.a.prefixes[1]: 2001:db8::/48 is given twice
    found:    2001:db8::/48 again
    expected: each once
    do:       remove one of the two`,
    ],
    [
      'two customers that overlap',
      two('prefixes: [203.0.113.0/24]', 'prefixes: [203.0.113.64/26]'),
      `isp.yaml:7:28: customers.b.prefixes[0]: 203.0.113.64/26 of b overlaps 203.0.113.0/24 of a (isp.yaml:6)
    found:    203.0.113.64/26
    expected: space of one customer only
    do:       give the space to one of them, or split the larger prefix around the smaller`,
    ],
    [
      'two customers with one prefix in two tables',
      two('prefixes: [203.0.113.0/24]', 'prefixes: [{ prefix: 203.0.113.0/24, vrf: red }]'),
      `isp.yaml:7:28: customers.b.prefixes[0]: 203.0.113.0/24 of b overlaps 203.0.113.0/24 of a (isp.yaml:6)
    found:    203.0.113.0/24
    expected: space of one customer only
    do:       give the space to one of them, or split the larger prefix around the smaller`,
    ],
    [
      'a customer in protected space',
      a('prefixes: [10.20.1.0/24]') + 'protected: [{ prefix: 10.20.0.0/16, why: management }]\n',
      `isp.yaml:6:28: customers.a.prefixes[0]: 10.20.1.0/24 of a lies inside protected space 10.20.0.0/16 (management)
    found:    10.20.1.0/24
    expected: space that may be cut off
    do:       correct the prefix, or protect less`,
    ],
    [
      'protected space without a reason',
      a('prefixes: []') + 'protected: [{ prefix: 10.20.0.0/16 }]\n',
      `isp.yaml:7:13: protected[0].why: "why" is missing
    found:    nothing
    expected: a text
    do:       add "why: …"`,
    ],
    [
      'a prefix alone as protected',
      a('prefixes: []') + 'protected: [10.20.0.0/16]\n',
      `isp.yaml:7:13: protected[0]: 10.20.0.0/16 is not a map: { … }
    found:    10.20.0.0/16
    expected: a map: { … }
    do:       write a map: { … }`,
    ],
    [
      'a customer without a name',
      `${head}  a: { prefixes: [] }\n`,
      `isp.yaml:6:3: customers.a.name: "name" is missing
    found:    nothing
    expected: a text
    do:       add "name: …"`,
    ],
    [
      'a contact that is no address',
      a('contacts: [{ email: abuse at example }]'),
      `isp.yaml:6:37: customers.a.contacts[0].email: abuse at example is not an e-mail address
    found:    abuse at example
    expected: an e-mail address
    do:       write an e-mail address`,
    ],
    [
      'an AS number of a thousand dots',
      a('asn: "1.2.3"'),
      `isp.yaml:6:22: customers.a.asn: "1.2.3" is no AS number
    found:    "1.2.3"
    expected: 1 to 4294967295, or high.low in quotes
    do:       write it like 64501`,
    ],
    [
      'an AS number that YAML shortens',
      a('asn: 1.10'),
      `isp.yaml:6:22: customers.a.asn: 1.10 reads as the number 1.1
    found:    1.10
    expected: a number as it is meant, or a text in quotes
    do:       write 1.1 if you mean the number, or "1.10" if you mean the text`,
    ],
    [
      'AS number zero',
      a('asn: 0'),
      `isp.yaml:6:22: customers.a.asn: 0 is not a number of at least 1
    found:    0
    expected: a number of at least 1
    do:       write a number of at least 1`,
    ],
    [
      'a port on a device that is not there',
      a('ports: [{ device: edge9, interface: Gi0/2 }]'),
      `isp.yaml:6:35: customers.a.ports[0].device: there is no device "edge9"
    found:    device "edge9"
    expected: one of edge1
    do:       correct the name, or add what it names`,
    ],
    [
      'a port with a line end',
      a('ports: [{ device: edge1, interface: "Gi0/2\\nreload" }]'),
      `isp.yaml:6:53: customers.a.ports[0].interface: "Gi0/2\\u000areload" is no name of a port
    found:    "Gi0/2\\nreload"
    expected: a letter, then letters, digits and / . : _ - (at most 64)
    do:       write the name as the device prints it: p1, GigabitEthernet1/0/3, ge-0/0/1.0`,
    ],
    [
      'an uplink in another spelling',
      a('ports: [{ device: edge1, interface: GigabitEthernet0/1 }]'),
      `isp.yaml:6:53: customers.a.ports[0].interface: port GigabitEthernet0/1 of edge1 is the uplink Gi0/1, or carries it: taking it down would cut others off
    found:    GigabitEthernet0/1
    expected: a port that only this customer uses
    do:       name the customer's own port, or correct the uplinks of edge1`,
    ],
    [
      'unit 0 of an uplink',
      a('ports: [{ device: edge1, interface: Gi0/1.0 }]'),
      `isp.yaml:6:53: customers.a.ports[0].interface: port Gi0/1.0 of edge1 is the uplink Gi0/1, or carries it: taking it down would cut others off
    found:    Gi0/1.0
    expected: a port that only this customer uses
    do:       name the customer's own port, or correct the uplinks of edge1`,
    ],
    [
      'one port twice in two spellings',
      a(
        'ports: [{ device: edge1, interface: Gi0/2 }, { device: edge1, interface: gigabitethernet0/2 }]',
      ),
      `isp.yaml:6:90: customers.a.ports[1].interface: port gigabitethernet0/2 of edge1 stands here twice (also written Gi0/2)
    found:    port gigabitethernet0/2 of edge1
    expected: one owner
    do:       remove one of the two`,
    ],
    [
      'one port of two customers',
      two(
        'ports: [{ device: edge1, interface: Gi0/2 }]',
        'ports: [{ device: edge1, interface: GigabitEthernet0/2 }]',
      ),
      `isp.yaml:7:53: customers.b.ports[0].interface: port GigabitEthernet0/2 of edge1 is given to two customers: a and b (also written Gi0/2)
    found:    port GigabitEthernet0/2 of edge1
    expected: one owner
    do:       leave it with one of them`,
    ],
    [
      'a port name that is too short',
      a('ports: [{ device: edge1, interface: t0/2 }]'),
      `isp.yaml:6:53: customers.a.ports[0].interface: port t0/2 may be any of several: the name is cut too short
    found:    t0/2
    expected: a name that only one port can have
    do:       write it in full, as the configuration of the device has it`,
    ],
    [
      'one neighbor of two customers',
      two(
        'neighbors: [{ device: edge1, address: 192.0.2.9 }]',
        'neighbors: [{ device: edge1, address: 192.0.2.9 }]',
      ),
      `isp.yaml:7:55: customers.b.neighbors[0].address: neighbor 192.0.2.9 of edge1 is given to two customers: a and b
    found:    neighbor 192.0.2.9 of edge1
    expected: one owner
    do:       leave it with one of them`,
    ],
    [
      'a neighbor without a device',
      a('neighbors: [{ address: 192.0.2.9 }]'),
      `isp.yaml:6:29: customers.a.neighbors[0].device: "device" is missing
    found:    nothing
    expected: a text
    do:       add "device: …"`,
    ],
    [
      'a kind of neighbor that does not exist',
      dev('neighbors: [{ address: 192.0.2.9, what: customer }]'),
      `isp.yaml:5:82: devices.b.neighbors[0].what: customer is not one of transit, peer, ibgp
    found:    customer
    expected: one of transit, peer, ibgp
    do:       write one of transit, peer, ibgp`,
    ],
    [
      'a routing table with blanks',
      a('prefixes: [{ prefix: 203.0.113.0/24, vrf: "my vrf" }]'),
      `isp.yaml:6:59: customers.a.prefixes[0].vrf: "my vrf" is not a text of letters, digits and . _ - (at most 32)
    found:    "my vrf"
    expected: a text of letters, digits and . _ - (at most 32)
    do:       write a text of letters, digits and . _ - (at most 32)`,
    ],
    [
      'an empty text',
      a('asn: ""'),
      `isp.yaml:6:22: customers.a.asn: "" is no AS number
    found:    ""
    expected: 1 to 4294967295, or high.low in quotes
    do:       write it like 64501`,
    ],
    [
      'a limit below zero',
      `version: 1\nlimits: { perHour: { decisions: -1 } }\n`,
      `isp.yaml:2:33: limits.perHour.decisions: -1 is not a number of at least 0
    found:    -1
    expected: a number of at least 0
    do:       write a number of at least 0`,
    ],
    [
      'a limit beyond the family',
      `version: 1\nlimits: { maxPrefix: { ipv4: 64 } }\n`,
      `isp.yaml:2:30: limits.maxPrefix.ipv4: 64 is not a number of at most 32
    found:    64
    expected: a number of at most 32
    do:       write a number of at most 32`,
    ],
    [
      'a device without a group that is there',
      dev('group: core'),
      `isp.yaml:5:49: devices.b.group: there is no group "core"
    found:    group "core"
    expected: nothing: there is none
    do:       correct the name, or add what it names`,
    ],
    [
      'a jump host that is not there',
      dev('jump: bastion'),
      `isp.yaml:5:48: devices.b.jump: there is no jump host "bastion"
    found:    jump host "bastion"
    expected: nothing: there is none
    do:       correct the name, or add what it names`,
    ],
    [
      'two devices with one address',
      dev('').replace('10.0.0.2', '10.0.0.1'),
      `isp.yaml:5:32: devices.b.address: b has the address and port of edge1
    found:    10.0.0.1 port 22
    expected: an address and port of its own
    do:       correct one of them, or remove b if it is the same machine`,
    ],
  ]

  it.each(cases)('%s is told so', (_, text, says) => {
    const result = parseInventory([source(text, 'isp.yaml')], platformNames)

    expect(result.ok ? 'nothing' : result.problems.map(printProblem).join('\n')).toBe(says)
  })

  it('none of these says a thing that a terminal would obey', () => {
    expect(cases.filter(([, , says]) => /\p{Cc}/u.test(says.replaceAll('\n', '')))).toEqual([])
  })
})

const pb = (over: Readonly<Record<string, string | undefined>> = {}) =>
  Object.entries({
    name: 'p',
    decision: 'block',
    description: 'x',
    measures: '[{ port: { state: down, ports: customer } }]',
    maxDuration: '14d',
    ...over,
  })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\n`]))
    .join('')

describe('a playbook with', () => {
  const cases: readonly Case[] = [
    [
      'a decision that does not exist',
      pb({ decision: 'delete' }),
      `p.yaml:2:11: decision: delete is not one of suspend, terminate, block
    found:    delete
    expected: one of suspend, terminate, block
    do:       write one of suspend, terminate, block`,
    ],
    [
      'no measures',
      pb({ measures: '[]' }),
      `p.yaml:4:11: measures: an empty list is not a list of at least one
    found:    an empty list
    expected: a list of at least one
    do:       write a list of at least one`,
    ],
    [
      'a measure of two kinds',
      pb({
        measures:
          '[{ port: { state: down, ports: customer }, acl: { block: customer, direction: in, devices: { role: edge } } }]',
      }),
      `p.yaml:4:12: measures[0]: acl and port in one measure
    found:    a map
    expected: exactly one of blackhole, acl, port, neighbor
    do:       begin each measure with a line of its own: "- port: { … }"`,
    ],
    [
      'a measure without a kind',
      pb({ measures: '[{}]' }),
      `p.yaml:4:12: measures[0]: a measure without a kind
    found:    an empty map
    expected: exactly one of blackhole, acl, port, neighbor
    do:       begin each measure with a line of its own: "- port: { … }"`,
    ],
    [
      'a state that a port can not have',
      pb({ measures: '[{ port: { state: up, ports: customer } }]' }),
      `p.yaml:4:29: measures[0].port.state: up is not down
    found:    up
    expected: down
    do:       write down`,
    ],
    [
      'no devices',
      pb({ measures: '[{ blackhole: { prefixes: customer, devices: {} } }]' }),
      `p.yaml:4:56: measures[0].blackhole.devices: no devices are named
    found:    an empty map
    expected: exactly one of role, devices
    do:       write { role: edge } or { devices: [edge1, edge2] }`,
    ],
    [
      'a role and devices',
      pb({
        measures: '[{ blackhole: { prefixes: customer, devices: { role: edge, devices: [r1] } } }]',
      }),
      `p.yaml:4:56: measures[0].blackhole.devices: role and devices are both named
    found:    a map
    expected: exactly one of role, devices
    do:       write { role: edge } or { devices: [edge1, edge2] }`,
    ],
    [
      'a tag of zero',
      pb({ measures: '[{ blackhole: { prefixes: customer, devices: { role: edge }, tag: 0 } }]' }),
      `p.yaml:4:77: measures[0].blackhole.tag: 0 is not a number of at least 1
    found:    0
    expected: a number of at least 1
    do:       write a number of at least 1`,
    ],
    [
      'a variable that does not exist',
      pb({
        measures: '[{ neighbor: { state: shutdown, neighbors: customer, message: "{tiket}" } }]',
      }),
      `p.yaml:4:73: measures[0].neighbor.message: there is no variable {tiket}: there are {ticket}, {customer}, {category}, {enforcement}
    found:    "{tiket}"
    expected: a text like "Suspended {ticket}"
    do:       shorten it, or leave out what is not allowed`,
    ],
    [
      'a message with a quote',
      pb({
        measures: `[{ neighbor: { state: shutdown, neighbors: customer, message: 'say "hi"' } }]`,
      }),
      `p.yaml:4:73: measures[0].neighbor.message: "say "hi"" has more than a device's line may hold: letters, digits, single blanks and . , : ; / @ _ + ( ) -, at most 128 bytes
    found:    'say "hi"'
    expected: a text like "Suspended {ticket}"
    do:       shorten it, or leave out what is not allowed`,
    ],
    [
      'a message with a line end',
      pb({
        measures: '[{ neighbor: { state: shutdown, neighbors: customer, message: "a\\nexit" } }]',
      }),
      `p.yaml:4:73: measures[0].neighbor.message: "a\\u000aexit" has more than a device's line may hold: letters, digits, single blanks and . , : ; / @ _ + ( ) -, at most 128 bytes
    found:    "a\\nexit"
    expected: a text like "Suspended {ticket}"
    do:       shorten it, or leave out what is not allowed`,
    ],
    [
      'a message that is too long',
      pb({
        measures: `[{ neighbor: { state: shutdown, neighbors: customer, message: "${'x'.repeat(129)}" } }]`,
      }),
      `p.yaml:4:73: measures[0].neighbor.message: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" has more than a device's line may hold: letters, digits, single blanks and . , : ; / @ _ + ( ) -, at most 128 bytes
    found:    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx … xxxxxxxxxxxxxxxxxxxxxxxxx"
    expected: a text like "Suspended {ticket}"
    do:       shorten it, or leave out what is not allowed`,
    ],
    [
      'a duration without a unit',
      pb({ maxDuration: '14' }),
      `p.yaml:5:14: maxDuration: 14 is not a length of time with its unit, such as 14d
    found:    14
    expected: a length of time with its unit, such as 14d
    do:       write a length of time with its unit, such as 14d`,
    ],
    [
      'a duration without a unit, in quotes',
      pb({ maxDuration: '"14"' }),
      `p.yaml:5:14: maxDuration: "14" is no duration: a unit is missing (14d, 14h, 14m or 14s)
    found:    "14"
    expected: a whole number and one of s, m, h, d, w
    do:       write it like 14d`,
    ],
    [
      'a duration of two units',
      pb({ maxDuration: '1d12h' }),
      `p.yaml:5:14: maxDuration: "1d12h" is no duration: one unit only (36h rather than 1d12h)
    found:    1d12h
    expected: a whole number and one of s, m, h, d, w
    do:       write it like 14d`,
    ],
    [
      'a duration of parts',
      pb({ maxDuration: '1.5d' }),
      `p.yaml:5:14: maxDuration: "1.5d" is no duration: whole numbers only (36h rather than 1.5d)
    found:    1.5d
    expected: a whole number and one of s, m, h, d, w
    do:       write it like 14d`,
    ],
    [
      'a duration of ten thousand days',
      pb({ maxDuration: '10000d' }),
      `p.yaml:5:14: maxDuration: "10000d" is longer than 3660 days
    found:    10000d
    expected: a whole number and one of s, m, h, d, w
    do:       write it like 14d`,
    ],
    [
      'an end for what is final',
      pb({ decision: 'terminate' }),
      `p.yaml:5:14: maxDuration: terminate has no end, so no maxDuration
    found:    14d
    expected: no maxDuration
    do:       remove it, or make the decision suspend`,
    ],
    [
      'no end for what is reversible',
      pb({ maxDuration: undefined }),
      `p.yaml:1:1: block has no maxDuration
    found:    nothing
    expected: a maxDuration
    do:       add "maxDuration: 14d"`,
    ],
    [
      'more approvals than there are',
      pb({ approvals: '2' }),
      `p.yaml:6:12: approvals: 2 is not a number of at most 1
    found:    2
    expected: a number of at most 1
    do:       write a number of at most 1`,
    ],
    [
      'a batch of none',
      pb({ rollout: '{ batch: 0 }' }),
      `p.yaml:6:19: rollout.batch: 0 is not a number of at least 1
    found:    0
    expected: a number of at least 1
    do:       write a number of at least 1`,
    ],
    [
      'a way to fail that does not exist',
      pb({ onFailure: 'ignore' }),
      `p.yaml:6:12: onFailure: ignore is not one of keep, rollback
    found:    ignore
    expected: one of keep, rollback
    do:       write one of keep, rollback`,
    ],
  ]

  it.each(cases)('%s is told so', (_, text, says) => {
    const result = parsePlaybooks([source(text, 'p.yaml')])

    expect(result.ok ? 'nothing' : result.problems.map(printProblem).join('\n')).toBe(says)
  })
})
