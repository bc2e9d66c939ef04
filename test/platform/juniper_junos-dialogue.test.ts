// How Junos talks, and how its candidate is judged. Texts are in the form of its guides and of published sessions.

import { describe, expect, it } from 'vitest'
import { enter, free, inside } from '../../agent/platform.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import { acl, blackhole, neighbor, port } from './conformance-kit.ts'

const seen = { host: 'ops@edge1', nonce: '00000000', facts: {} }
const { transaction } = juniper_junos
if (transaction.kind !== 'candidate') throw new TypeError('Junos has a candidate')
const candidate = transaction
const { timer } = candidate
if (timer === undefined) throw new TypeError('Junos commits with a timer')
const clean = (text: string) => juniper_junos.clean?.(text)

describe('prompts of Junos', () => {
  const context = (text: string) => juniper_junos.prompt(seen)(text)?.context

  it.each([
    ['ops@edge1> ', 'operational'],
    ['text\n\n{master:0}\nops@edge1> ', 'operational'],
    ['\n[edit]\nops@edge1# ', 'configuration'],
    ['x\n{primary:node0}[edit]\nops@edge1# ', 'configuration'],
    ['\n[edit interfaces ge-0/0/7]\nops@edge1# ', 'configuration-below'],
    ['ops@edge1# ', 'configuration'],
  ])('%j is %s', (text, expected) => {
    expect(context(text)).toBe(expected)
  })

  it.each([
    'other@edge1> ',
    'ops@edge2> ',
    'ops@edge1>',
    'ops@edge1> show version',
    'set policy-options community X ops@edge1# ',
    'no level\nops@edge1# ',
    '# commit confirmed will be rolled back in 5 minutes\n',
    '[edit]\n',
    '[edit]\nops@edge1> ',
  ])('%j is none', (text) => {
    expect(context(text)).toBeUndefined()
  })

  it('begins with the lines that belong to it', () => {
    expect(juniper_junos.prompt(seen)('one\n{master:0}[edit]\nops@edge1# ')?.start).toBe(4)
  })
})

describe('what others print into a session of Junos', () => {
  it.each([
    [
      '# commit confirmed will be rolled back in 5 minutes\n[edit]\nops@edge1# ',
      '[edit]\nops@edge1# ',
    ],
    ['x\n# commit confirmed will be rolled back in 1 minute\n[edit]', 'x\n[edit]'],
    [
      'a\nBroadcast Message from root@edge1 (no tty) at 16:36 UTC...\n\nCommit was not confirmed; automatic rollback complete.\n\nops@edge1> ',
      'a\nops@edge1> ',
    ],
    [
      'ops@edge1> \nMessage from syslogd@edge1 at 10:00:00  ...\nedge1 alarmd[5121]: Alarm cleared\n',
      'ops@edge1> ',
    ],
    ['a\n\nMessage from syslogd@edge1 at 10:00:00  ...\nedge1 alarmd[1]: x\nb', 'a\nb'],
    ['a\nBroadcast Message from root@edge1\n        (no tty) at 16:36 UTC...\n\nb', 'a\nb'],
    ...['', '\n\n'].map((gap) => [
      `ops@edge1> ${gap}Broadcast Message from root@edge1\n        (no tty) at 16:36 UTC...\n\nCommit was not confirmed; automatic rollback complete.\nshow version`,
      'ops@edge1> show version',
    ]),
  ])('%j goes', (text, left) => {
    expect(clean(text)).toBe(left)
  })

  it.each([
    '## Last changed: 2026-11-27 09:36:34 UTC',
    'set system login message "Broadcast Message"',
    '# a comment\n',
  ])('%j stays', (text) => {
    expect(clean(text)).toBe(text)
  })
})

describe('refusals of Junos', () => {
  const set = free('set interfaces ge-0/0/7 disable', 'configuration')
  const check = inside('commit check', 'configuration')

  it.each([
    [set, '                   ^\nsyntax error, expecting <command>.'],
    [set, '           ^\nunknown command.'],
    [set, '      ^\nmissing argument.'],
    [set, "invalid interface type in 'xx-0/0/7'"],
    [set, 'error: permission denied'],
    [
      enter('configure exclusive', 'operational', 'configuration'),
      'Users currently editing the configuration:\n  admin terminal pts/0 (pid 31745) on since 2026-09-20 23:25:28 UTC\n      [edit]\nerror: configuration database modified',
    ],
    [
      enter('configure exclusive', 'operational', 'configuration'),
      'error: configuration database locked by:\n  admin terminal  (pid 32260) on since 2026-05-06 11:04:06 UTC, idle 00:04:48\n      exclusive [edit]',
    ],
    [
      check,
      "[edit]\n  'system'\n    Missing mandatory statement: 'root-authentication'\nerror: configuration check-out failed: (missing mandatory statements)",
    ],
  ])('%# is one', (line, text) => {
    expect(juniper_junos.failed(line, text, undefined)?.message).toMatch(/./)
  })

  it.each([
    [set, ''],
    [set, 'warning: statement not found'],
    [
      check,
      "[edit protocols]\n  'ospf'\n    warning: requires 'OSPF' license\nconfiguration check succeeds",
    ],
    [inside('show | compare | no-more', 'configuration'), '[edit]\n+  error-handling;'],
    [
      free('show interfaces ge-0/0/99 | no-more', 'operational'),
      'error: device ge-0/0/99 not found',
    ],
    [
      enter('configure exclusive', 'operational', 'configuration'),
      'warning: uncommitted changes will be discarded on exit\nEntering configuration mode',
    ],
  ])('%# is none', (line, text) => {
    expect(juniper_junos.failed(line, text, undefined)).toBeUndefined()
  })

  it('believes a commit only if it is one that takes itself back', () => {
    const { expect: words } = timer.commit('7f3a91c2')
    expect(
      words?.test(
        'commit confirmed will be automatically rolled back in 5 minutes unless confirmed\ncommit complete',
      ),
    ).toBe(true)
    expect(
      words?.test(
        'configuration check succeeds\ncommit confirmed will be automatically rolled back in 5 minutes unless confirmed\nre0: \ncommit complete',
      ),
    ).toBe(true)
    expect(words?.test('commit complete')).toBe(false)
    expect(words?.test('error: commit failed: (validation hook evaluation failed)')).toBe(false)
  })
})

describe('opening a session on Junos', () => {
  const open = (stage: string, text: string) =>
    juniper_junos.open({ stage, text, nonce: '0', facts: {}, host: '' })

  it('switches off completion, paging and wrapping, and learns the release', () => {
    const greeting = 'Last login: x\n--- JUNOS 26.2R1.7-EVO Linux\nops@edge1> '
    expect(open('start', greeting)).toMatchObject({ text: 'set cli complete-on-space off' })
    expect(
      open(
        'completion',
        'set cli complete-on-space off \nDisabling complete-on-space\n\nops@edge1> ',
      ),
    ).toMatchObject({ text: 'set cli screen-length 0' })
    expect(
      open(
        'version',
        'show version | no-more \nfpc0:\nHostname: edge1\nJunos: 21.4R3-S3.4\n\nops@edge1> ',
      ),
    ).toEqual({
      do: 'ready',
      context: 'operational',
      host: 'ops@edge1',
      facts: { version: '21.4R3-S3.4' },
    })
  })

  it('waits for the echo and for the whole prompt', () => {
    expect(open('start', 'ops@edge1>')).toBeUndefined()
    expect(open('completion', 'ops@edge1> ')).toBeUndefined()
    expect(open('completion', 'set cli complete-on-space off')).toBeUndefined()
  })

  it('leaves the shell of root once', () => {
    expect(open('start', '\nroot@edge1:~ # ')).toMatchObject({ text: 'cli', next: 'shell' })
    expect(open('start', 'root@edge1% ')).toMatchObject({ text: 'cli' })
    expect(open('shell', 'cli\nroot@edge1> ')).toMatchObject({ next: 'completion' })
    expect(open('shell', 'cli\nsh: cli: not found\nroot@edge1:~ # ')).toMatchObject({
      code: 'wrong_platform',
    })
  })

  it.each(['edge1#', 'edge1(config)#', 'RP/0/RP0/CPU0:edge1#'])('refuses %j', (text) => {
    expect(open('start', `\n${text}`)).toMatchObject({ code: 'wrong_platform' })
  })
})

describe('a pending commit on Junos', () => {
  it('is ours by the token in its comment', () => {
    const text = `0   2026-11-24 10:02:11 UTC by nullroute via cli commit confirmed, rollback in 5mins
    nullroute 7f3a91c2
    rollback pending
1   2026-11-20 08:11:02 UTC by ops via cli`
    expect(timer.pending(text)).toEqual({
      kind: 'pending',
      token: '7f3a91c2',
      earlier: [],
    })
  })

  it('is somebody else’s without one', () => {
    const text =
      '0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    rollback pending'
    expect(timer.pending(text)).toEqual({ kind: 'pending', token: undefined, earlier: [] })
  })

  it.each([
    '0   2026-11-20 08:11:02 UTC by ops via cli\n    nullroute 7f3a91c2\n1   2026-11-19 08:11:02 UTC by ops via cli\n',
    '0   2026-11-20 08:11:02 UTC by ops via cli\n1   2026-11-19 08:11:02 UTC by ops via cli commit confirmed, rollback in 5mins\n    rollback pending',
    '0   2026-11-20 08:11:02 UTC by ops via cli\n    about the rollback pending list\n1   2026-11-19 08:11:02 UTC by ops via cli\n',
  ])('is none in %j', (text) => {
    expect(timer.pending(text).kind).toBe('none')
  })

  it('was ours where it waits no more and the newest entry still has the token', () => {
    const text = `0   2026-11-20 08:11:02 UTC by ops via cli
    nullroute 7f3a91c2
1   2026-11-19 08:11:02 UTC by ops via cli
`
    expect(timer.pending(text)).toEqual({ kind: 'none', token: '7f3a91c2', earlier: [] })
  })

  it('was ours where a later one follows it', () => {
    const text = `0   2026-11-20 08:12:02 UTC by ops via cli
1   2026-11-20 08:11:02 UTC by nullroute via cli commit confirmed, rollback in 5mins
    nullroute 7f3a91c2
2   2026-11-19 08:11:02 UTC by ops via cli
    about nullroute 81f436ec
`
    expect(timer.pending(text)).toEqual({
      kind: 'none',
      token: undefined,
      earlier: ['7f3a91c2'],
    })
  })

  it.each([
    `0   2026-11-24 10:02:11 UTC by nullroute via cli commit confirmed, rollback in 5mins
    nullroute 7f3a91c2
    rollback pending
1   2026-11-20 08:11:02 UTC by ops via cli
    nullroute 81f436ec
2   2026-11-19 08:11:02 UTC by root via other
`,
    '0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    rollback pending\n',
    '0   2026-09-20 23:16:51 UTC by admin via netconf commit confirmed, rollback in 2mins\n    1   2026-09-01 00:00:00 UTC by me via cli\n    rollback pending\n',
  ])('is never taken for none, wherever the answer is cut: %j', (text) => {
    const seen = new Set<string>()
    for (let end = 0; end <= text.length; end += 1) {
      try {
        seen.add(timer.pending(text.slice(0, end)).kind)
      } catch (error) {
        expect(error).toMatchObject({ code: 'unknown_output' })
      }
    }
    expect([...seen]).toEqual(['pending'])
  })

  it.each([
    '0   2026-11-20 08:11:02 UTC by ops via cli\n',
    '1   2026-11-20 08:11:02 UTC by ops via cli\n2   2026-11-19 08:11:02 UTC by ops via cli\n',
    '0   2026-11-20\n1   2026-11-19 08:11:02 UTC by ops via cli\n',
    '0   2026-11-20 08:11:02 UTC by ops via cli\n2   2026-11-19 08:11:02 UTC by ops via cli\n',
    '',
  ])('can’t be told from what is no whole entry: %j', (text) => {
    expect(() => timer.pending(text)).toThrow(/entry 0/)
  })

  it.each([
    '0   2026-11-20 08:11:02 UTC by root via other',
    '0   2026-11-20 08:11:02 UTC by ops via cli\n    first commit\n',
    '\n',
  ])('is none on a new device, where the device itself counts none: %j', (text) => {
    expect(timer.pending(text, 'Count: 0 lines')).toMatchObject({ kind: 'none' })
    for (const count of ['', 'Count: 1 lines', 'Count: 0', 'error: no access']) {
      expect(() => timer.pending(text, count)).toThrow(/entry 0/)
    }
  })

  it('is not guessed', () => {
    expect(() => timer.pending('error: no access', 'Count: 0 lines')).toThrow(/entry 0/)
    expect(() => timer.pending('error: no access')).toThrow(/entry 0/)
  })
})

describe('the difference of a candidate on Junos', () => {
  const facts = { 'group|default|192.0.2.9': 'CUSTOMERS' }
  const intents = [
    blackhole('203.0.113.9/32'),
    blackhole('2001:db8:e57::/48'),
    acl('203.0.113.9/32'),
    port('ge-0/0/7'),
    neighbor('192.0.2.9', { message: 'Suspended ABUSE-2041' }),
  ]
  const apply = juniper_junos.render(
    intents.map((intent) => ({ kind: 'apply', intent })),
    facts,
  )
  const whole = `[edit interfaces ge-0/0/7]
+   apply-macro nullroute;
+   disable;
[edit routing-options static]
+    route 203.0.113.9/32 {
+        discard;
+        tag 666;
+        apply-macro nullroute;
+    }
[edit routing-options]
+   rib inet6.0 {
+       static {
+           route 2001:db8:e57::/48 {
+               discard;
+               tag 666;
+               apply-macro nullroute;
+           }
+       }
+   }
[edit policy-options prefix-list nullroute-v4]
+    203.0.113.9/32;
[edit protocols bgp group CUSTOMERS neighbor 192.0.2.9]
+     shutdown {
+         apply-macro nullroute;
+         notify-message "Suspended ABUSE-2041";
+     }
`

  it('is right when it is exactly the change', () => {
    expect(candidate.judge(whole, apply)).toBeUndefined()
  })

  it.each([
    ['something of somebody else', `${whole}[edit system]\n+  host-name other;\n`],
    ['another port', whole.replace('ge-0/0/7]', 'ge-0/0/8]')],
    ['a longer net', whole.replace('+    203.0.113.9/32;', '+    203.0.113.0/24;')],
    ['the whole group', whole.replace(' neighbor 192.0.2.9]', ']')],
    ['something missing', whole.replace('+   disable;\n', '')],
    [
      'something removed',
      whole.replace('+        tag 666;', '+        tag 666;\n-        no-install;'),
    ],
    ['terms in another order', `${whole}[edit firewall]\n!   term a { ... }\n`],
    ['words of an unknown form', `${whole}something else\n`],
    ['nothing', ''],
  ])('is refused with %s', (_, diff) => {
    expect(candidate.judge(diff, apply)?.message).toMatch(/./)
  })

  it('of a release is what was written, and nothing more', () => {
    const lifts = intents.map((intent, i) => {
      const rendering = apply[i]
      if (rendering?.kind !== 'lines') throw new TypeError('not rendered')
      return { kind: 'lift', intent, before: [], wrote: rendering.wrote } as const
    })
    const release = juniper_junos.render(lifts, facts)
    const diff = whole.replaceAll(/^\+/gm, '-')
    expect(candidate.judge(diff, release)).toBeUndefined()
    expect(candidate.judge(whole, release)?.message).toMatch(/not meant/)
    const parent = diff.replace(
      '-    route 203.0.113.9/32 {',
      '-    route 203.0.113.8/32 {\n-        discard;\n-    }\n-    route 203.0.113.9/32 {',
    )
    expect(candidate.judge(parent, release)?.message).toMatch(/203\.0\.113\.8/)
  })

  it('of another tag is one value for another', () => {
    const intent = blackhole('203.0.113.9/32', { tag: 667 })
    const from = ['discard', 'tag 666', 'apply-macro nullroute'].map(
      (word) => `routing-options static route 203.0.113.9/32 ${word}`,
    )
    const renderings = juniper_junos.render([{ kind: 'modify', intent, from }], {})
    const diff =
      '[edit routing-options static route 203.0.113.9/32]\n-    tag 666;\n+    tag 667;\n'
    expect(candidate.judge(diff, renderings)).toBeUndefined()
  })

  it('of a deactivated neighbor is one switch', () => {
    const renderings = juniper_junos.render([{ kind: 'apply', intent: neighbor('192.0.2.9') }], {
      ...facts,
      version: '18.4R2',
    })
    const diff = '[edit protocols bgp group CUSTOMERS]\n!    inactive: neighbor 192.0.2.9 { ... }\n'
    expect(candidate.judge(diff, renderings)).toBeUndefined()
    expect(candidate.judge(diff.replace('2.9', '2.8'), renderings)).toBeDefined()
  })
})
