import exercise from './exercise.cjs'

await exercise((name) => import(name))
