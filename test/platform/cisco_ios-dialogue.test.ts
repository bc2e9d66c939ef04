// How IOS talks. Texts are in the form of its manuals and of published sessions.

import { describe, expect, it } from 'vitest'
import { free, inside } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'

const seen = { host: 'edge1', nonce: '00000000', facts: {} }
const clean = (text: string) => cisco_ios.clean?.(text)

describe('prompts of IOS', () => {
  it.each([
    ['edge1#', 'exec'],
    ['edge1>', 'user'],
    ['some text\nedge1(config)#', 'config'],
    ['edge1(config-if)#', 'config-if'],
    ['edge1(config-router-af)# ', 'config-router-af'],
    ['edge1(config-network-group)#', 'config-network-group'],
  ])('%j is %s', (text, context) => {
    expect(cisco_ios.prompt(seen)(text)?.context).toBe(context)
  })

  it.each([
    'edge2#',
    'edge1#show clock',
    'edge1(config)#ip route',
    ' description edge1#',
    'edge1#\n',
    'banner text #',
    'edge(config)#',
    'edge1(standby)#',
  ])('%j is none', (text) => {
    expect(cisco_ios.prompt(seen)(text)).toBeUndefined()
  })

  it('knows a long host name that configuration modes cut, and only that one', () => {
    const long = { ...seen, host: 'border-router-frankfurt-01' }
    const prompt = cisco_ios.prompt(long)
    expect(prompt('border-router-frankf(config)#')?.context).toBe('config')
    expect(prompt('border-router-frankf#')).toBeUndefined()
    expect(prompt('border-router-(config)#')).toBeUndefined()
    expect(prompt('border-router-berlin(config)#')).toBeUndefined()
  })

  it('says where the prompt begins', () => {
    expect(cisco_ios.prompt(seen)('one\ntwo\nedge1#')?.start).toBe(8)
  })
})

describe('what others print into a session of IOS', () => {
  it.each([
    ['log lines between lines', 'a\n*May  4 14:05:35.179: %SYS-5-CONFIG_I: Configured\nb', 'a\nb'],
    [
      'with a sequence number',
      '000123: May  4 2026 14:05:35 UTC: %LINK-3-UPDOWN: x\nedge1#',
      'edge1#',
    ],
    ['with an uptime', 'a\n23:06:41: %BGP-5-ADJCHANGE: neighbor 192.0.2.9 Up \nb', 'a\nb'],
    [
      'behind a bare prompt',
      'edge1(config)#\n*May  4 14:05:35.179: %SYS-5-X: y\n',
      'edge1(config)#',
    ],
    ['glued to a prompt', 'edge1#*May  4 14:05:35.179: %SYS-5-X: y\n', 'edge1#'],
    [
      'two behind a prompt',
      'edge1#\n*May  4 14:05:35.1: %A-5-X: y\n*May  4 14:05:36.1: %B-5-X: z',
      'edge1#',
    ],
    [
      'a reload banner before a new prompt',
      'edge1#show clock\n\n\n***\n*** --- SHUTDOWN in 0:02:00 ---\n***\n\nedge1#',
      'edge1#show clock\nedge1#',
    ],
    [
      'a reload banner inside an echoed line',
      'edge1(config)#no ip route 20\n\n\n***\n*** --- SHUTDOWN in 0:01:00 ---\n***\n3.0.113.9',
      'edge1(config)#no ip route 203.0.113.9',
    ],
    ['an aborted reload', 'edge1#\n***\n*** --- SHUTDOWN ABORTED ---\n***\n', 'edge1#'],
    [
      'the header of exec prompt timestamp',
      'Load for five secs: 14%/0%; one minute: 13%; five minutes: 19%\nTime source is NTP, 11:58:48.301 EST Fri Oct 14 2026\nx',
      'x',
    ],
    [
      'the warning of a rollback timer',
      'edge1(config)#Rollback Confirmed Change: Rollback will begin in one minute.\nEnter "configure confirm" if you wish to keep what you\'ve configured\n',
      'edge1(config)#',
    ],
  ])('%s goes', (_, text, left) => {
    expect(clean(text)).toBe(left)
  })

  it.each([
    "% Invalid input detected at '^' marker.",
    ' description *** do not touch 100% ***',
    '%No matching route to delete',
    '  5 minute input rate 100%',
    ' description 12:00:00: %SYS-5-CONFIG_I: mine',
    '***\nMaintenance\n***\n',
  ])('%j stays', (text) => {
    expect(clean(text)).toBe(text)
  })
})

describe('refusals of IOS', () => {
  const line = inside('shutdown', 'config-if')

  it.each([
    "              ^\n% Invalid input detected at '^' marker.\n",
    '% Incomplete command.',
    '% Ambiguous command:  "s"',
    'Command authorization failed.',
    'Command rejected: bad state',
    '%Inconsistent address and mask',
    '%IP routing table VRF CUST does not exist. Create first',
    '% VRF CUST not configured',
    '%IPv6 routing not enabled',
    '% Duplicate sequence number',
    'Exceeded maximum sequence number',
    'BGP is already running; AS is 64500',
    '% Specify remote-as or peer-group commands first',
    '% General session commands not allowed under the address family',
    "Configuration mode locked exclusively by user 'unknown' process '13' from terminal '0'. Please try later.",
    "Config session is locked by process '566', user will be pushed back to exec mode.",
    '% Something that nobody has seen yet',
  ])('%j is one', (text) => {
    expect(cisco_ios.failed(line, text, undefined)?.message).not.toBeUndefined()
  })

  it.each([
    '',
    '%No matching route to delete',
    '% Duplicate permit statement ignored',
    '%Default route without gateway, if not a point-to-point interface, may impact performance',
    '% Warning: use this command with care',
    'Enter configuration commands, one per line.  End with CNTL/Z.',
    'Load is 100% of BGP is already running; AS is 1',
  ])('%j is none', (text) => {
    expect(cisco_ios.failed(line, text, undefined)).toBeUndefined()
  })

  it('leaves the absent to whoever reads', () => {
    const read = free('show running-config interface Gi9/9', 'exec')
    expect(
      cisco_ios.failed(read, "% Invalid input detected at '^' marker.", undefined),
    ).toBeUndefined()
  })

  it('believes a save only by its OK', () => {
    const [save] = cisco_ios.save?.lines([], {}) ?? []
    const said = (text: string) => cisco_ios.failed(save!, text, undefined)?.message
    expect(said('Building configuration...\n[OK]')).toBeUndefined()
    expect(said('  Compressed configuration from 9000 bytes to 3000 bytes[OK]')).toBeUndefined()
    expect(said('startup-config file open failed (Device or resource busy)')).toMatch(/busy/)
    expect(said('Compressed configuration is too large for nvram')).toMatch(/too large/)
  })

  it.each([
    'Reload now? [confirm]',
    'Are you sure? [yes/no]: ',
    'Enter Y if sure. ? [no]: ',
    'Destination filename [startup-config]? ',
    'Password: ',
  ])('takes %j for a question', (text) => {
    expect(cisco_ios.question?.test(`x\n${text}`)).toBe(true)
  })

  it.each([
    ' description [confirm]',
    '! really [yes/no]: ',
    'plain text',
    '[confirm] in the middle',
  ])('takes %j for none', (text) => {
    expect(cisco_ios.question?.test(`x\n${text}`)).toBe(false)
  })
})

describe('opening a session on IOS', () => {
  const open = (stage: string, text: string) =>
    cisco_ios.open({ stage, text, nonce: '0', facts: {}, host: '' })

  it('switches off paging, wrapping and log lines, and looks at rights and version', () => {
    expect(open('start', 'banner\nedge1#')).toMatchObject({ text: 'terminal length 0' })
    expect(open('length', 'terminal length 0\nedge1#')).toMatchObject({
      text: 'terminal width 511',
    })
    expect(open('width', 'terminal width 511\nedge1#')).toMatchObject({
      text: 'terminal no monitor',
    })
    expect(open('monitor', 'terminal no monitor\nedge1#')).toMatchObject({ text: 'show privilege' })
    expect(
      open('privilege', 'show privilege\nCurrent privilege level is 15\nedge1#'),
    ).toMatchObject({ text: 'show version' })
    const version = 'show version\nCisco IOS Software, Version 15.9(3)M4, RELEASE\nedge1#'
    expect(open('version', version)).toEqual({
      do: 'ready',
      context: 'exec',
      host: 'edge1',
      facts: { version: '15.9(3)M4' },
    })
  })

  it('waits while nothing or only a part is there', () => {
    expect(open('start', '')).toBeUndefined()
    expect(open('start', 'Welcome\n')).toBeUndefined()
    // A banner that looks like a prompt was answered too early: the true prompt comes with the echo.
    expect(open('length', 'edge1#')).toBeUndefined()
    expect(open('length', 'edge1#terminal length 0')).toBeUndefined()
  })

  it('gives the secret once, and gives up at the first no', () => {
    expect(open('start', 'edge1>')).toMatchObject({ text: 'enable', next: 'enable' })
    expect(open('enable', 'enable\nPassword: ')).toEqual({ do: 'enable', next: 'secret' })
    expect(open('enable', 'enable\nedge1#')).toMatchObject({ text: 'terminal length 0' })
    expect(open('secret', '\nBanner\nedge1#')).toMatchObject({ text: 'terminal length 0' })
    for (const no of [
      '\nPassword: ',
      '\n% Access denied\nedge1>',
      '\n% Bad secrets\n',
      '\nedge1>',
    ]) {
      expect(open('secret', no)).toMatchObject({ do: 'refuse', code: 'enable_refused' })
    }
    expect(open('enable', 'enable\n% No password set\nedge1>')).toMatchObject({
      code: 'enable_refused',
    })
  })

  it.each([
    ['user@router> ', 'wrong_platform'],
    ['root@host:~# ', 'wrong_platform'],
    ['RP/0/RP0/CPU0:edge2#', 'wrong_platform'],
    ['Would you like to enter the initial configuration dialog? [yes/no]: ', 'no_prompt'],
    ['edge1(standby)#', 'no_prompt'],
  ])('refuses %j', (text, code) => {
    expect(open('start', `\n${text}`)).toMatchObject({ do: 'refuse', code })
  })

  it('refuses other software and rights that hide part of the configuration', () => {
    expect(
      open('version', 'show version\nCisco IOS XR Software, Version 7.5\nedge1#'),
    ).toMatchObject({
      code: 'wrong_platform',
    })
    expect(open('privilege', 'show privilege\nCurrent privilege level is 7\nedge1#')).toMatchObject(
      { code: 'no_privilege' },
    )
  })
})
