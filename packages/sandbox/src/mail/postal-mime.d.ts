// The declarations of postal-mime 4 name these two as types, which @types/node 20 declares as values only.
interface TextEncoder extends InstanceType<typeof import('node:util').TextEncoder> {}
interface TextDecoder extends InstanceType<typeof import('node:util').TextDecoder> {}
