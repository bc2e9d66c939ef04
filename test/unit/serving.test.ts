import { expect, it } from 'vitest'
import { createServing } from '../../controller/serving.ts'

it('a step that is over takes those before it along, and those that broke off do not pile up', () => {
  const serving = createServing()
  for (let step = 1; step <= 2_000; step++) serving.began(step, [`E${step}`])

  const kept = Array.from({ length: 2_000 }, (_, i) => i + 1).filter((step) => serving.of(step))
  expect(kept).toHaveLength(64)
  expect(serving.of(2_000)).toEqual(['E2000'])
  expect(serving.of(1_936)).toBeUndefined()

  serving.ended(1_999)
  expect(kept.filter((step) => serving.of(step))).toEqual([2_000])
  expect(serving.of(2_000)).toEqual(['E2000'])
})
