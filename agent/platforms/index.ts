// The registry: name → platform. Adding a platform is one line here.

import type { Platform } from '../platform.ts'
import { frr } from './frr/frr.ts'
import { linux } from './linux/linux.ts'

/** Every platform that an inventory may name. */
export const platforms: ReadonlyMap<string, Platform> = new Map(
  [frr, linux].map((platform) => [platform.name, platform]),
)
