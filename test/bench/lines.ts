// What a person would type to put one blackhole route on and see it, on each platform: the floor that everything is held against.

import type { SimulatedPlatform } from '../simulator/spec.ts'

/** The dialogue of one platform, line by line. */
export interface Dialogue {
  /** Typed once after the login, so that answers come whole. */
  readonly opening: readonly string[]
  /** Puts the route on; each line is answered before the next is typed. */
  on(address: string): readonly string[]
  off(address: string): readonly string[]
  /** Shows it. */
  show(address: string): string
  /** Whether the answer says that the route is in force. */
  isOn(answer: string, address: string): boolean
}

const mask = '255.255.255.255'

/** The dialogues. Read-backs are the smallest that prove the route: more than what peers ask, less than what nullroute asks. */
export const dialogues: Readonly<Record<SimulatedPlatform, Dialogue>> = {
  frr: {
    opening: ['no terminal paginate', 'terminal length 0'],
    on: (address) => ['configure terminal', `ip route ${address}/32 blackhole tag 666`, 'end'],
    off: (address) => ['configure terminal', `no ip route ${address}/32 blackhole tag 666`, 'end'],
    show: (address) => `show ip route ${address}/32 json`,
    isOn: (answer) => /"installed":\s*true/.test(answer) && /"blackhole":\s*true/.test(answer),
  },
  linux: {
    opening: [
      "exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PS1='bare# ' PS2='' sh",
      'stty -echo',
    ],
    on: (address) => [`ip route prepend blackhole ${address}/32 proto 223`],
    off: (address) => [`ip route del blackhole ${address}/32 proto 223`],
    show: (address) => `ip -j -4 route show table all type blackhole root ${address}/32`,
    isOn: (answer) => /"type":\s*"blackhole"/.test(answer),
  },
  cisco_ios: {
    opening: ['terminal length 0', 'terminal width 511', 'terminal no monitor'],
    on: (address) => ['configure terminal', `ip route ${address} ${mask} Null0 tag 666`, 'end'],
    off: (address) => ['configure terminal', `no ip route ${address} ${mask} Null0`, 'end'],
    show: (address) => `show ip route ${address}`,
    isOn: (answer) => /directly connected, via Null0/.test(answer),
  },
  juniper_junos: {
    opening: [
      'set cli complete-on-space off',
      'set cli screen-length 0',
      'set cli screen-width 511',
    ],
    on: (address) => [
      'configure exclusive',
      `set routing-options static route ${address}/32 discard tag 666`,
      'commit',
      'exit configuration-mode',
    ],
    off: (address) => [
      'configure exclusive',
      `delete routing-options static route ${address}/32`,
      'commit',
      'exit configuration-mode',
    ],
    show: (address) => `show route ${address}/32 exact | no-more`,
    isOn: (answer) => /\bDiscard\b/.test(answer),
  },
}
