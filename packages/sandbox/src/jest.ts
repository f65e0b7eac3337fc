import { expect } from '@jest/globals'
import { type SandboxMatchers, toHaveSent } from './match/matchers.js'

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T> extends SandboxMatchers {}
}
declare global {
  namespace jest {
    interface Matchers<R, T> extends SandboxMatchers {}
  }
}

expect.extend({ toHaveSent })
