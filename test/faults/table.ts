// The table: every fault, where it may strike, and how it is put on a simulated device. Data, and rules about where a cell makes no sense.

import type { Fault } from '../simulator/faults.ts'
import type { SimulatedPlatform } from '../simulator/spec.ts'
import { type Moment, type Place, places, type Step, steps } from './places.ts'

/** How a fault comes into a cell. */
export type Act =
  /** Faults of the simulated device, while the cell's fault holds. */
  | { readonly kind: 'device'; readonly faults: readonly Fault[] }
  /** Something that happens once, when the device has read the line and not done it yet: to the device itself, to the controller's clock, store or process. */
  | { readonly kind: 'once'; readonly what: Once }
  /** The controller is a process of its own, killed once the device has read the line; the device answers nothing to it. */
  | { readonly kind: 'killed' }
  /** The device has been so from the beginning. */
  | { readonly kind: 'always' }

/** What happens once. */
export type Once =
  | 'other change'
  | 'clock forward'
  | 'clock back'
  | 'window ends'
  | 'disk full'
  | 'database locked'

/** One fault of the table. */
export interface FaultKind {
  readonly id: string
  readonly title: string
  /** What happens, for people. */
  readonly about: string
  /** Why it does not strike at other steps. */
  readonly rule: string
  readonly strikes: (platform: SimulatedPlatform, place: Place) => boolean
  readonly act: (platform: SimulatedPlatform, place: Place, moment: Moment) => Act
  /** It strikes at each of the reads that go out together, not only at the first. */
  readonly everyRead?: true
  /** Nothing more comes: only a deadline ends the wait, so the clock is set forward at once. */
  readonly stalls?: true
}

const spoken: ReadonlySet<Step> = new Set(
  steps.filter((step) => step !== 'connect' && step !== 'close'),
)
const changing: ReadonlySet<Step> = new Set(['enter config', 'line', 'confirm', 'save'])

const isSpoken = (_: SimulatedPlatform, { step }: Place): boolean => spoken.has(step)
const isTyped = (_: SimulatedPlatform, { step }: Place): boolean =>
  spoken.has(step) && step !== 'log in'
const isPrinted = (platform: SimulatedPlatform, place: Place): boolean =>
  isSpoken(platform, place) && place.prints
const isChanging = (_: SimulatedPlatform, { step }: Place): boolean => changing.has(step)

/** Moments of the controller's own book-keeping. Between the lines of a change nothing is written down, so that the first and the last stand for all. */
const isMoment = (platform: SimulatedPlatform, place: Place): boolean =>
  isSpoken(platform, place) && (place.step !== 'line' || isOuterLine(platform, place))

function isOuterLine(platform: SimulatedPlatform, place: Place): boolean {
  const of = places[platform].filter(({ step }) => step === 'line')
  return place === of[0] || place === of.at(-1)
}

/** The same, and the request itself. */
const isWriting = (platform: SimulatedPlatform, place: Place): boolean =>
  place.step === 'connect' || (isMoment(platform, place) && place.step !== 'log in')

const everyMoment =
  'Once the device has read the line; of the lines of the change at the first and the last, since nothing is written down in between.'
const everyLine = 'At every step at which something is said.'
const everyTyped = 'At every line that is typed: a greeting is no answer.'

const device = (...faults: readonly Fault[]): Act => ({ kind: 'device', faults })
const once = (what: Once): Act => ({ kind: 'once', what })

/** Words that say more than they mean, behind a line that was done. */
const alarming: Readonly<Record<SimulatedPlatform, string>> = {
  frr: 'Warning: error while notifying a client, the configuration is kept',
  linux: 'Warning: Error: cache initialization failed, continuing without it',
  cisco_ios: '%Warning: this error message is informational, the command was accepted',
  juniper_junos: 'warning: error recovery: statement has been accepted',
}

/** Words that say less than they mean, in the place of what the line should have done. */
const soothing: Readonly<Record<SimulatedPlatform, string>> = {
  frr: 'Note: deferred until the daemon is ready\n',
  linux: 'note: nothing to do\n',
  cisco_ios: 'Note: command deferred\n',
  juniper_junos: 'warning: statement ignored: unsupported platform\n',
}

const questions: Readonly<Record<SimulatedPlatform, string>> = {
  frr: 'Are you sure? [y/n] ',
  linux: 'Are you sure? [y/N] ',
  cisco_ios: 'Do you really want to do this? [confirm]',
  juniper_junos: 'Do you really want to do this? [yes,no] (no) ',
}

/** Where a session is that fell out of what it was in. */
const oddPrompts: Readonly<Record<SimulatedPlatform, string>> = {
  frr: 'r1(config-if)# ',
  linux: '\r\nroot@r1:~# ',
  cisco_ios: 'r1(config-line)#',
  juniper_junos: '[edit system]\r\nnetops@r1# ',
}

/** What somebody else changes: nothing of ours. */
export const otherChange: Readonly<Record<SimulatedPlatform, readonly string[]>> = {
  frr: ['ip route 203.0.113.201/32 blackhole'],
  linux: ['ip route add blackhole 203.0.113.201/32'],
  cisco_ios: ['ip route 203.0.113.201 255.255.255.255 Null0'],
  juniper_junos: ['set routing-options static route 203.0.113.201/32 discard'],
}

/** The same taken back. */
export const otherChangeUndone: Readonly<Record<SimulatedPlatform, readonly string[]>> = {
  frr: ['no ip route 203.0.113.201/32 blackhole'],
  linux: ['ip route del blackhole 203.0.113.201/32'],
  cisco_ios: ['no ip route 203.0.113.201 255.255.255.255 Null0'],
  juniper_junos: ['delete routing-options static route 203.0.113.201/32'],
}

const hasLock: ReadonlySet<SimulatedPlatform> = new Set(['cisco_ios', 'juniper_junos'])

/** All faults, in the order of the page. */
export const faultKinds: readonly FaultKind[] = [
  {
    id: 'reset',
    title: 'reset before the line was done',
    about: 'The connection is cut; what was typed last has not been done.',
    rule: 'At every step.',
    strikes: () => true,
    act: (_, { step }, moment) =>
      step === 'connect'
        ? device({ kind: 'connect', how: 'cut' })
        : step === 'close'
          ? device({ kind: 'sessions', how: 'cut' })
          : device({ kind: 'disconnect', when: 'before', ...moment }),
  },
  {
    id: 'reset-after',
    title: 'reset after the line was done',
    about: 'The line was done, then the connection is cut: nobody has seen the answer.',
    rule: 'Where a line changes something: elsewhere it is the same as before the line.',
    strikes: isChanging,
    act: (_, __, moment) => device({ kind: 'disconnect', when: 'after', ...moment }),
  },
  {
    id: 'half-open',
    title: 'half-open connection',
    about:
      'Nothing goes in or out any more, and nothing is closed: the device still counts the session as open.',
    rule: 'At every step.',
    strikes: () => true,
    stalls: true,
    act: (_, { step }, moment) =>
      step === 'connect'
        ? device({ kind: 'connect', how: 'silent' })
        : step === 'close'
          ? device({ kind: 'sessions', how: 'silent' })
          : device({ kind: 'half-open', when: 'before', ...moment }),
  },
  {
    id: 'hang',
    title: 'hang',
    about:
      'The line was taken and done, the answer never ends; the connection stays. At the connection: SSH begins and goes no further. At the log-in: it is never answered.',
    rule: 'At every step but the close, which asks for nothing.',
    strikes: (_, { step }) => step !== 'close',
    stalls: true,
    act: (_, { step }, moment) =>
      step === 'connect'
        ? device({ kind: 'connect', how: 'version only' })
        : step === 'log in'
          ? device({ kind: 'log-in', how: 'silent' })
          : device({ kind: 'hang', ...moment }),
  },
  {
    id: 'refused',
    title: 'refused line',
    about:
      'The line is refused in the words of the platform. At the log-in: user and password are not taken.',
    rule: 'At every line; a refused save is a row of its own.',
    everyRead: true,
    strikes: (platform, place) => isSpoken(platform, place) && place.step !== 'save',
    act: (_, { step }, moment) =>
      step === 'log in' ? device({ kind: 'refuse-login' }) : device({ kind: 'reject', ...moment }),
  },
  {
    id: 'save-refused',
    title: 'save refused',
    about: 'The configuration can’t be saved. On a candidate the commit says so.',
    rule: 'At the save; on juniper_junos at the commit.',
    strikes: (platform, { step, id }) =>
      platform === 'juniper_junos' ? id === 'commit' : step === 'save',
    act: () => device({ kind: 'refuse-save' }),
  },
  {
    id: 'alarming',
    title: 'warning that looks like an error',
    about: 'The line was done; with it comes a warning that has the looks of an error.',
    rule: everyTyped,
    strikes: isTyped,
    act: (platform, _, moment) => device({ kind: 'say', text: alarming[platform], ...moment }),
  },
  {
    id: 'soothing',
    title: 'error that looks like a warning',
    about: 'The line was not done; all that is said of it sounds harmless.',
    rule: everyTyped,
    strikes: isTyped,
    act: (platform, _, moment) => device({ kind: 'reject', text: soothing[platform], ...moment }),
  },
  {
    id: 'odd-prompt',
    title: 'unexpected prompt',
    about: 'Behind the answer stands the prompt of another context.',
    rule: everyLine,
    strikes: isSpoken,
    act: (platform, _, moment) => device({ kind: 'prompt', text: oddPrompts[platform], ...moment }),
  },
  {
    id: 'question',
    title: 'confirmation',
    about:
      'The device asks something that nobody expects, and waits; it does the line only if it is confirmed.',
    rule: everyLine,
    strikes: isSpoken,
    act: (platform, _, moment) => device({ kind: 'ask', text: questions[platform], ...moment }),
  },
  {
    id: 'split',
    title: 'output split at every byte',
    about: 'Each byte comes in a packet of its own.',
    rule: everyLine,
    strikes: isSpoken,
    act: (_, __, moment) => device({ kind: 'split', bytes: 1, ...moment }),
  },
  {
    id: 'banner',
    title: 'duplicate banner',
    about: 'The greeting comes once more, before the answer.',
    rule: everyLine,
    strikes: isSpoken,
    act: (_, __, moment) => device({ kind: 'banner', ...moment }),
  },
  {
    id: 'log-answer',
    title: 'log line in the middle of the answer',
    about: 'A log line of the platform comes between the lines of the answer.',
    rule: everyLine,
    everyRead: true,
    strikes: isSpoken,
    act: (_, __, moment) => device({ kind: 'log-line', where: 'answer', ...moment }),
  },
  {
    id: 'log-echo',
    title: 'log line in the middle of the echo',
    about: 'A log line of the platform breaks what was typed in two.',
    rule: 'At every line that is typed and echoed.',
    strikes: (platform, place) =>
      isTyped(platform, place) && (platform !== 'linux' || place.step === 'paging off'),
    act: (_, __, moment) => device({ kind: 'log-line', where: 'echo', ...moment }),
  },
  {
    id: 'log-prompt',
    title: 'log line behind the prompt',
    about: 'A log line of the platform comes behind the new prompt, which is not shown again.',
    rule: everyLine,
    strikes: isSpoken,
    act: (_, __, moment) => device({ kind: 'log-line', where: 'prompt', ...moment }),
  },
  {
    id: 'truncated',
    title: 'truncated output',
    about: 'Of the answer only the first half comes, cut in the middle of a line, then the prompt.',
    rule: 'Where the device prints something.',
    strikes: isPrinted,
    act: (_, __, moment) => device({ kind: 'truncate', ...moment }),
  },
  {
    id: 'cut-short',
    title: 'answer cut short behind a whole line',
    about:
      'Once, only the first half of the lines of an answer comes, then the prompt; of a single line nothing. (A device that leaves out the same lines each time can’t be told from one that does not have them.)',
    rule: 'Where the device prints something, at each read.',
    everyRead: true,
    strikes: isPrinted,
    act: (_, __, moment) => device({ kind: 'truncate', at: 'line', times: 1, ...moment }),
  },
  {
    id: 'look-alike',
    title: 'prompt look-alike in a description',
    about: 'Descriptions on the device are the text of its own prompts.',
    rule: 'Of the whole session: it is read before and after the change.',
    strikes: (_, { step }) => step === 'verify',
    act: () => ({ kind: 'always' }),
  },
  {
    id: 'locked',
    title: 'another user holds the configuration lock',
    about: 'Nobody else gets into the configuration.',
    rule: 'Where there is a lock: cisco_ios and juniper_junos. vtysh lets everybody in, and commands of a shell have none.',
    strikes: (platform, { step }) => hasLock.has(platform) && step === 'enter config',
    act: () => device({ kind: 'lock' }),
  },
  {
    id: 'changed',
    title: 'configuration changed between read and write',
    about: 'Somebody else changes something of his own right before the line is done.',
    rule: 'From the way into the configuration to the save; not while juniper_junos is configured exclusively.',
    strikes: (platform, { step }) =>
      platform === 'juniper_junos'
        ? step === 'enter config'
        : changing.has(step) || step === 'verify',
    act: () => once('other change'),
  },
  {
    id: 'other-commit',
    title: 'someone else’s commit in between',
    about:
      'Somebody else commits something of his own before ours is confirmed: that confirms ours.',
    rule: 'Where a candidate is committed: between the commit and its confirmation.',
    strikes: (platform, { step }) => platform === 'juniper_junos' && step === 'verify',
    act: () => once('other change'),
  },
  {
    id: 'reload',
    title: 'reload before the line was done',
    about: 'The device starts again from what was saved: what was applied and not saved is gone.',
    rule: 'From the first line of the change to the save.',
    strikes: (_, { step }) => ['line', 'verify', 'confirm', 'save'].includes(step),
    act: (_, __, moment) => device({ kind: 'reload', when: 'before', times: 1, ...moment }),
  },
  {
    id: 'reload-after',
    title: 'reload after the line was done',
    about: 'The line was done, then the device starts again from what was saved.',
    rule: 'From the first line of the change to the save.',
    strikes: (_, { step }) => ['line', 'verify', 'confirm', 'save'].includes(step),
    act: (_, __, moment) => device({ kind: 'reload', when: 'after', times: 1, ...moment }),
  },
  {
    id: 'host-key',
    title: 'host key changed',
    about: 'The device shows another host key than known_hosts has.',
    rule: 'At the connection: nothing is said before it is believed.',
    strikes: (_, { step }) => step === 'connect',
    act: () => device({ kind: 'host-key' }),
  },
  {
    id: 'expired',
    title: 'password expired',
    about: 'The password is right and has expired: the device asks for a new one.',
    rule: 'At the log-in.',
    strikes: (_, { step }) => step === 'log in',
    act: () => device({ kind: 'log-in', how: 'expired' }),
  },
  {
    id: 'lie',
    title: 'a device that accepts and does nothing',
    about: 'The line is answered as if it had been done, and nothing is changed.',
    rule: 'Where a line changes something. A save is believed by its words: of one that did nothing the device’s next start tells, which follows here.',
    strikes: isChanging,
    act: (_, __, moment) => device({ kind: 'lie', ...moment }),
  },
  {
    id: 'clock-forward',
    title: 'clock an hour forward',
    about: 'Somebody sets the controller’s clock an hour forward.',
    rule: everyMoment,
    strikes: isMoment,
    act: () => once('clock forward'),
  },
  {
    id: 'clock-back',
    title: 'clock an hour back',
    about: 'Somebody sets the controller’s clock an hour back.',
    rule: everyMoment,
    strikes: isMoment,
    act: () => once('clock back'),
  },
  {
    id: 'disk-full',
    title: 'disk full',
    about:
      'The disk that holds the controller’s data has no room left (a small file system of its own, filled up).',
    rule: `${everyMoment} At the connection: before the request.`,
    strikes: isWriting,
    act: () => once('disk full'),
  },
  {
    id: 'database-locked',
    title: 'database locked',
    about:
      'Another connection holds the write lock of the controller’s database, for longer than a commit waits.',
    rule: 'Before the request, and once the device has read the first line of the change or that of its save: elsewhere it is as where the disk is full.',
    strikes: (_, { id }) => ['connect', 'line-1', 'save'].includes(id),
    act: () => once('database locked'),
  },
  {
    id: 'window-ends',
    title: 'confirm window run out',
    about: 'The device’s timer takes the commit back before it was confirmed.',
    rule: 'Where a candidate is committed: between the commit and its confirmation.',
    strikes: (platform, { step }) =>
      platform === 'juniper_junos' && (step === 'verify' || step === 'confirm'),
    act: () => once('window ends'),
  },
  {
    id: 'killed',
    title: 'controller killed while the window is open',
    about:
      'The controller is killed in the middle of the commit, or before its confirmation, and started again.',
    rule: 'Where a candidate is committed: from the commit to its confirmation. Of every other moment the crash suite speaks.',
    strikes: (platform, { step, id }) =>
      platform === 'juniper_junos' && (step === 'verify' || step === 'confirm' || id === 'commit'),
    act: () => ({ kind: 'killed' }),
  },
]

/** A place at which a fault strikes. */
export interface Spot {
  readonly fault: FaultKind
  readonly platform: SimulatedPlatform
  readonly place: Place
  /** `reset/frr/line-2` */
  readonly id: string
}

/** Every spot of the table, in its order. */
export function spots(platforms: readonly SimulatedPlatform[]): readonly Spot[] {
  return faultKinds.flatMap((fault) =>
    platforms.flatMap((platform) =>
      places[platform]
        .filter((place) => place.further !== true || fault.everyRead === true)
        .filter((place) => fault.strikes(platform, place))
        .map((place) => ({ fault, platform, place, id: `${fault.id}/${platform}/${place.id}` })),
    ),
  )
}
