import { expect } from 'vitest'
import { type SandboxMatchers, toHaveSent } from './match/matchers.js'

declare module 'vitest' {
  interface Matchers<T> extends SandboxMatchers {}
}

expect.extend({ toHaveSent })
