/** The part of `internal` that needs Nodemailer. */
export { createCompileStep } from './compile/compile-step.js'
