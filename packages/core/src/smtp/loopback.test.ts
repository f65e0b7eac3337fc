import { expect, it } from 'vitest'
import { isLoopback } from './loopback.js'

it.each(['localhost', 'LOCALHOST', 'mail.localhost', '127.0.0.1', '127.8.9.10', '::1', '[::1]'])(
  'takes %s for this machine',
  (host) => {
    expect(isLoopback(host)).toBe(true)
  },
)

it.each([
  'smtp.postmarkapp.com',
  'localhost.example.com',
  'notlocalhost',
  '127.example.com',
  '127.0.0.1.example.com',
  '128.0.0.1',
  '10.0.0.1',
  '::2',
  '',
])('takes %j for another machine', (host) => {
  expect(isLoopback(host)).toBe(false)
})
