// The registry: name → platform. Adding a platform is one line here.

import type { Platform } from '../platform.ts'
import { cisco_ios } from './cisco_ios/cisco_ios.ts'
import { frr } from './frr/frr.ts'
import { juniper_junos } from './juniper_junos/juniper_junos.ts'
import { linux } from './linux/linux.ts'

/** Every platform that an inventory may name. */
export const platforms: ReadonlyMap<string, Platform> = new Map(
  [cisco_ios, frr, juniper_junos, linux].map((platform) => [platform.name, platform]),
)
