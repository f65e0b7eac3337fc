import { expect, it } from 'vitest'
import { ConnectionBudget, type Holding, processBudget, type Tenant } from './connection-budget.js'

const FRESH: Holding = { mails: 1, heldMs: 10, leaving: 0 }

/** A route that notes what it is asked, and takes a place that is offered as long as it wants one. */
class Route implements Tenant {
  readonly log: string[] = []
  idle = 0
  opening = 0
  wants = 0

  constructor(
    readonly name: string,
    readonly budget: ConnectionBudget,
    readonly told: string[] = [],
  ) {}

  closeIdle(): boolean {
    this.log.push('closeIdle')
    return this.idle-- > 0
  }

  giveUpOpening(): boolean {
    this.log.push('giveUpOpening')
    return this.opening-- > 0
  }

  onPlace(): void {
    this.told.push(this.name)
    this.take(this.wants)
  }

  /** Takes as many places; returns how many it got. */
  take(count: number): number {
    this.wants = count
    let got = 0
    while (this.wants > 0 && this.budget.take(this)) {
      this.wants--
      got++
    }
    return got
  }
}

function setUp(max: number, ...names: string[]) {
  const budget = new ConnectionBudget(max)
  const told: string[] = []
  return {
    budget,
    told,
    routes: names.map((name) => new Route(name, budget, told)) as [Route, Route, Route, Route],
  }
}

it('is ten for the process', () => {
  expect(processBudget.max).toBe(10)
})

it('gives as many places as there are, and offers each that comes back in the order in which others began to wait', () => {
  const { routes, budget, told } = setUp(2, 'a', 'b', 'c')
  const [a, b, c] = routes
  expect([a.take(3), b.take(1), c.take(1)]).toEqual([2, 0, 0])
  budget.release(a)
  expect([told, b.wants, c.wants]).toEqual([['b'], 0, 1])
  budget.release(b)
  expect([told, a.wants, c.wants]).toEqual([['b', 'c'], 1, 0])
  budget.release(c)
  expect([told, a.wants]).toEqual([['b', 'c', 'a'], 0])
})

it('offers a place to one below its share before one above it, and last to the one that gave it', () => {
  const { routes, budget, told } = setUp(4, 'a', 'b', 'c')
  const [a, b, c] = routes
  a.take(5)
  b.take(1)
  budget.release(a)
  expect([told, a.wants, b.wants]).toEqual([['b'], 1, 0])
  c.take(1)
  budget.release(b)
  expect([told, a.wants, c.wants]).toEqual([['b', 'c'], 1, 0])
  budget.release(a)
  expect([told, a.wants]).toEqual([['b', 'c', 'a'], 0])
})

it('offers a place that was given up to one that began to wait later than its giver', () => {
  const { routes, budget, told } = setUp(1, 'a', 'b')
  const [a, b] = routes
  a.take(2)
  b.take(1)
  budget.release(a)
  expect([told, a.wants, b.wants]).toEqual([['b'], 1, 0])
})

it('offers a place to the next where one that waited does not want it any more', () => {
  const { routes, budget, told } = setUp(1, 'a', 'b', 'c')
  const [a, b, c] = routes
  a.take(1)
  b.take(1)
  c.take(1)
  b.wants = 0
  budget.release(a)
  expect([told, c.wants]).toEqual([['b', 'c'], 0])
})

it('offers no place to one that has left', () => {
  const { routes, budget, told } = setUp(1, 'a', 'b')
  const [a, b] = routes
  a.take(1)
  b.take(1)
  expect([budget.isWanted(a), budget.isWanted(b)]).toEqual([true, false])
  budget.leave(b)
  expect(budget.isWanted(a)).toBe(false)
  budget.release(a)
  expect(told).toEqual([])
})

it('stays right where whoever is offered a place gives another one back in the same breath', () => {
  const { routes, budget, told } = setUp(2, 'a', 'b', 'c')
  const [a, b, c] = routes
  a.take(2)
  b.take(1)
  c.take(1)
  const { onPlace } = b
  b.onPlace = () => {
    budget.release(a)
    onPlace.call(b)
  }
  budget.release(a)
  expect([told, b.wants, c.wants]).toEqual([['c', 'b'], 0, 0])
  expect(a.take(1)).toBe(0)
})

it('has an idle connection of another route closed for one that begins to wait, once', () => {
  const { routes } = setUp(3, 'a', 'b', 'c', 'd')
  const [a, b, c, d] = routes
  for (const each of [a, b, c]) each.take(1)
  b.idle = 1
  c.idle = 1
  d.take(1)
  d.take(1)
  expect([a.log, b.log, c.log, d.log]).toEqual([['closeIdle'], ['closeIdle'], [], []])
})

it('does not close the idle connections of the route that waits', () => {
  const { routes } = setUp(1, 'a')
  const [a] = routes
  a.idle = 1
  expect([a.take(2), a.log]).toEqual([1, []])
})

it('has an opening given up by a route above its share, where nobody idles', () => {
  const { routes } = setUp(4, 'a', 'b', 'c')
  const [a, b, c] = routes
  a.take(3)
  b.take(1)
  a.opening = 3
  b.opening = 1
  c.take(1)
  expect([a.log, b.log]).toEqual([['closeIdle', 'giveUpOpening'], ['closeIdle']])
})

it('has no opening given up for one that has its share, nor by one that has no more than its share', () => {
  const { routes } = setUp(4, 'a', 'b')
  const [a, b] = routes
  a.take(2)
  b.take(2)
  a.opening = 2
  b.take(1)
  expect(a.log).toEqual(['closeIdle'])
})

it('lets nobody yield where nobody else waits', () => {
  const { routes, budget } = setUp(2, 'a')
  const [a] = routes
  a.take(3)
  expect(budget.mustYield(a, { mails: 1_000, heldMs: 60_000, leaving: 0 })).toBe(false)
})

it('lets a route above its share yield to one below its own, and no further than to the share', () => {
  const { routes, budget } = setUp(4, 'a', 'b')
  const [a, b] = routes
  a.take(3)
  b.take(2)
  expect([budget.mustYield(a, FRESH), budget.mustYield(b, FRESH)]).toEqual([true, false])
  budget.release(a)
  // Two each: nobody is below the share.
  a.take(1)
  b.take(1)
  expect([budget.mustYield(a, FRESH), budget.mustYield(b, FRESH)]).toEqual([false, false])
})

it('lets no more places be given up at once than there are routes that wait', () => {
  const { routes, budget } = setUp(10, 'a', 'b', 'c')
  const [a, b, c] = routes
  a.take(10)
  b.take(5)
  expect([0, 1].map((leaving) => budget.mustYield(a, { ...FRESH, leaving }))).toEqual([true, false])
  c.take(5)
  expect([0, 1, 2].map((leaving) => budget.mustYield(a, { ...FRESH, leaving }))).toEqual([true, true, false])
})

it('counts places that are about to be given up as given up', () => {
  const { routes, budget } = setUp(2, 'a', 'b', 'c', 'd')
  const [a, b, c, d] = routes
  a.take(2)
  for (const each of [b, c, d]) each.take(1)
  expect([0, 1].map((leaving) => budget.mustYield(a, { ...FRESH, leaving }))).toEqual([true, false])
})

it('keeps a place for 20 emails or 5 s where there are more busy routes than places', () => {
  const { routes, budget } = setUp(2, 'a', 'b', 'c')
  const [a, b, c] = routes
  a.take(1)
  b.take(1)
  c.take(1)
  const yields = (mails: number, heldMs: number) => budget.mustYield(a, { mails, heldMs, leaving: 0 })
  expect([yields(1, 10), yields(19, 4_999), yields(20, 10), yields(1, 5_000)]).toEqual([
    false,
    false,
    true,
    true,
  ])
})

it('keeps a place for as long as there is one for each busy route', () => {
  const { routes, budget } = setUp(3, 'a', 'b', 'c')
  const [a, b, c] = routes
  a.take(1)
  b.take(1)
  c.take(2)
  expect(budget.mustYield(a, { mails: 1_000, heldMs: 60_000, leaving: 0 })).toBe(false)
})

it('has no bound where it is infinite', () => {
  const { routes, budget } = setUp(Number.POSITIVE_INFINITY, 'a')
  const [a] = routes
  expect(a.take(1_000)).toBe(1_000)
  expect(budget.isWanted(a)).toBe(false)
})
