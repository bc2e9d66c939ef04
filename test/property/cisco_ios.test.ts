import { describe, it } from 'vitest'
import { checkGarbled } from './garbled.ts'
import { checkIdentity } from './identity.ts'
import { ciscoIos } from './priors.ts'
import { checkUnion } from './union.ts'

describe('a IOS device', () => {
  it('is after suspend and release what it was before, whatever operators left there', () =>
    checkIdentity(ciscoIos))

  it('holds exactly the union of what is in force, whatever came and went in whatever order', () =>
    checkUnion(ciscoIos))

  it('is never believed to hold what it does not, whatever becomes of its words on the way', () =>
    checkGarbled(ciscoIos))
})
