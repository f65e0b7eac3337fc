import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MailQueue } from './mail-queue.js'

it('gives emails in the order in which they came, those that came back first', () => {
  const queue = new MailQueue<string>()
  for (const mail of ['a', 'b', 'c']) queue.add(mail)
  expect(queue.first).toBe('a')
  expect([queue.take(), queue.take()]).toEqual(['a', 'b'])
  queue.giveBack('a')
  queue.giveBack('b')
  queue.add('d')
  expect([queue.first, queue.size, [...queue]]).toEqual(['a', 4, ['a', 'b', 'c', 'd']])
  expect([queue.take(), queue.take(), queue.take(), queue.take(), queue.take()]).toEqual([
    'a',
    'b',
    'c',
    'd',
    undefined,
  ])
  expect(queue.first).toBeUndefined()
})

it('lets an email be taken out from wherever it is, once', () => {
  const queue = new MailQueue<string>()
  queue.add('a')
  queue.giveBack('b')
  expect([queue.remove('a'), queue.remove('a'), queue.remove('b'), queue.remove('b')]).toEqual([
    true,
    false,
    true,
    false,
  ])
  expect(queue.size).toBe(0)
})

it('loses and doubles none, whatever is done in whatever order', () => {
  const steps = fc.array(fc.constantFrom('add', 'take', 'give back', 'remove'), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (given) => {
      const queue = new MailQueue<number>()
      const outside: number[] = []
      let made = 0
      for (const step of given) {
        if (step === 'add') queue.add(made++)
        else if (step === 'take') {
          const first = queue.first
          const mail = queue.take()
          expect(mail).toBe(first)
          if (mail !== undefined) outside.push(mail)
        } else if (step === 'give back' && outside.length > 0) queue.giveBack(outside.pop()!)
        else if (step === 'remove' && queue.first !== undefined) {
          outside.push(queue.first)
          expect(queue.remove(queue.first)).toBe(true)
        }
        expect([...queue, ...outside].sort((a, b) => a - b)).toEqual(
          Array.from({ length: made }, (_, n) => n),
        )
        expect(queue.size).toBe(made - outside.length)
      }
    }),
    { numRuns: 200 },
  )
})
