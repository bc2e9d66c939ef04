// The registry of models: platform → model.

import type { SimulatedPlatform } from '../spec.ts'
import { ciscoIos } from './cisco_ios/cisco_ios.ts'
import { frr } from './frr/frr.ts'
import { juniperJunos } from './juniper_junos/juniper_junos.ts'
import { linux } from './linux/linux.ts'
import type { MakeModel } from './model.ts'

/** How each platform's devices are made. */
export const models: Readonly<Record<SimulatedPlatform, MakeModel>> = {
  frr,
  linux,
  cisco_ios: ciscoIos,
  juniper_junos: juniperJunos,
}
