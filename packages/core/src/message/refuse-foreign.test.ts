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
    ['undefined', undefined, 'undefined', 'what createTransport returns'],
    ['null', null, 'null', 'what createTransport returns'],
    ['createTransport itself', createTransport, 'a function', 'Call it first'],
    ['a URL', `smtp://${TOKEN}:${TOKEN}@localhost`, 'a text', 'createTransport first'],
    ['a token', TOKEN, 'a text', 'createTransport first'],
    ['a number', 587, '587', 'what createTransport returns'],
    ['a list', [], 'an array of 0', 'what createTransport returns'],
    ['a promise', Promise.resolve(createTransport({})), 'a promise', 'Await it first.'],
    [
      'a REST API client',
      { sendEmail: async () => ({}), token: TOKEN },
      'a REST API client',
      'use createPostmarkTransport',
    ],
    ['a service that sends mail', { sendMail: async () => ({}) }, 'without `use`', 'that it sends with'],
    ['the options of a transporter', { host: 'localhost', auth: { pass: TOKEN } }, 'options', ATTACH],
    ['nothing in an object', {}, 'options', ATTACH],
  ])('names %s and the cure, and no token', (_title, given, what, cure) => {
    const error = refusal(given)
    expect(error).toMatchObject({ name: 'PostmarkError', code: 'ERR_POSTMARK_TRANSPORT' })
    expect(error.message).toContain(`attachPostmark was given `)
    expect(error.message).toContain(what)
    expect(error.hint).toContain(cure)
    expect(error.message).toContain(error.hint)
    expect(error.message).not.toContain(TOKEN)
  })
})
