import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { attachPostmark, isPostmarkError, type PostmarkError } from '../index.js'

const TOKEN = '5a4db0c5-1111-2222-3333-444455556666'
const ATTACH = 'attachPostmark(createTransport(options))'
const attach = attachPostmark as (given: unknown) => unknown

function refusal(given: unknown): PostmarkError {
  try {
    attach(given)
  } catch (error) {
    if (isPostmarkError(error)) return error
    throw error
  }
  throw new Error('It was taken.')
}

describe('attachPostmark, given what is no transporter,', () => {
  it.each<[string, unknown, string, string]>([
    ['undefined', undefined, 'undefined', 'the return value of createTransport'],
    ['null', null, 'null', 'the return value of createTransport'],
    ['createTransport itself', createTransport, 'a function', 'Call it first'],
    ['a URL', `smtp://${TOKEN}:${TOKEN}@localhost`, 'a string', 'createTransport first'],
    ['a token', TOKEN, 'a string', 'createTransport first'],
    ['a number', 587, '587', 'the return value of createTransport'],
    ['a list', [], 'an array of length 0', 'the return value of createTransport'],
    ['a promise', Promise.resolve(createTransport({})), 'a promise', 'Await it first.'],
    [
      'a REST API client',
      { sendEmail: async () => ({}), token: TOKEN },
      'a REST API client',
      'use createPostmarkTransport',
    ],
    ['a service that sends mail', { sendMail: async () => ({}) }, 'without `use`', 'that it uses to send'],
    ['the options of a transporter', { host: 'localhost', auth: { pass: TOKEN } }, 'options', ATTACH],
    ['nothing in an object', {}, 'options', ATTACH],
  ])('names %s and the cure, and no token', (_title, given, what, cure) => {
    const error = refusal(given)
    expect(error).toMatchObject({ name: 'PostmarkError', code: 'ERR_POSTMARK_TRANSPORT' })
    expect(error.message).toContain(`attachPostmark needs a Nodemailer transporter, but was given `)
    expect(error.message).toContain(what)
    expect(error.hint).toContain(cure)
    expect(error.message).toContain(error.hint)
    expect(error.message).not.toContain(TOKEN)
  })
})
