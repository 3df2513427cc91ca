// SPDX-License-Identifier: Apache-2.0
// Messages: what goes in comes out, where and when it should.
import assert from 'node:assert/strict'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { Skip, checkFilled, consumer, fill, producer, read, refused, topic } from './kit.js'

// message.max.bytes 1048588, less a batch header of 61 and 11 of a lone record's own.
const LARGEST_VALUE = 1048588 - 61 - 11

export async function produce () {
  const name = await topic('produce', 3)
  const sender = producer({ acks: -1 })
  for (let round = 0; round < 10; round++) {
    const messages = []
    for (let i = 0; i < 9; i++) {
      messages.push({
        topic: name, partition: i % 3, key: Buffer.from('key'), value: Buffer.from(`value-${i}`)
      })
    }
    const { offsets } = await sender.send({ messages })
    offsets.sort((a, b) => a.partition - b.partition)
    assert.deepEqual(offsets, [0, 1, 2].map(
      partition => ({ topic: name, partition, offset: BigInt(round * 3) })), 'offsets')
  }
  const metadata = await sender.metadata({ topics: [name] })
  assert.equal(metadata.topics.get(name).partitionsCount, 3, 'partitions')
  const message = { topic: name, partition: 0, value: Buffer.from('v') }
  const { offsets } = await sender.send({ messages: [message], acks: 1 })
  assert.equal(offsets[0].offset, 30n, 'offset with acks 1')
  await sender.send({ messages: [message], acks: 0 })
  assert.equal((await read(name, 0, 32)).length, 32, 'with acks 1 and 0')
}

export async function consumeFromBeginning () {
  const name = await topic('beginning')
  await fill(name, 1000, 100)
  await checkFilled(name, 0, 1000, 100)
  await checkFilled(name, 733, 1000, 100)
  const asker = consumer()
  for (const [timestamp, want] of [[-2n, 0n], [-1n, 1000n]]) {
    const offsets = await asker.listOffsets({ topics: [name], timestamp })
    assert.deepEqual(offsets.get(name), [want], `offset for ${timestamp}`)
  }
}

export async function consumeFromTime () {
  const name = await topic('time')
  const base = 1_700_000_000_000n
  const sender = producer({ acks: -1 })
  // Ten batches, so that an answer lies within one of several.
  for (let batch = 0; batch < 10; batch++) {
    const messages = []
    for (let i = batch * 10; i < batch * 10 + 10; i++) {
      messages.push({
        topic: name, partition: 0, timestamp: base + BigInt(i) * 1000n, value: Buffer.from(`${i}`)
      })
    }
    await sender.send({ messages })
  }
  const asker = consumer()
  for (const [time, want] of [
    [-5n, 0n], [0n, 0n], [44_500n, 45n], [45_000n, 45n], [99_000n, 99n], [99_001n, -1n]
  ]) {
    const found = await asker.listOffsetsWithTimestamps({ topics: [name], timestamp: base + time })
    const timestamp = want < 0n ? -1n : base + want * 1000n
    assert.deepEqual(found.get(name).get(0), { offset: want, timestamp }, `offset for ${time}`)
  }
  const [message] = await read(name, 45, 1)
  assert.equal(message.timestamp, base + 45_000n, 'timestamp')
  assert.equal(message.value.toString(), '45', 'value')
}

export async function compression (codec) {
  if (!compressionsAlgorithms[codec].available) {
    throw new Skip(`Node.js ${process.version} has no ${codec}`)
  }
  const name = await topic(`compression-${codec}`)
  await fill(name, 2000, 500, { compression: codec })
  await checkFilled(name, 0, 2000, 500)
  await checkFilled(name, 1234, 2000, 500)
}

export async function headers () {
  const name = await topic('headers')
  const want = [
    ['first', Buffer.from('one')],
    ['binary', Buffer.from([0, 1, 255])],
    ['empty', Buffer.alloc(0)],
    ['null', null],
    ['first', Buffer.from('again')],
    ['\u00fcnicode', Buffer.from('x')]
  ]
  // Two buffers of the same content are two keys of a map: so duplicates can be had.
  const headers = new Map(want.map(([key, value]) => [Buffer.from(key), value]))
  await producer({ acks: -1 }).send({
    messages: [{
      topic: name, partition: 0, key: Buffer.from('k'), value: Buffer.from('v'), headers
    }]
  })
  const [message] = await read(name, 0, 1)
  const got = [...message.headers].map(([key, value]) => [key.toString(), value ?? null])
  assert.deepEqual(got, want, 'headers')
}

export async function nullKeyValue () {
  const name = await topic('null')
  const want = [[null, 'v'], ['k', null], [null, null], ['', ''], ['k', 'v']].map(
    pair => pair.map(text => text === null ? undefined : Buffer.from(text)))
  const sender = producer({ acks: -1 })
  for (const [key, value] of want) {
    // The property must be there, even for null.
    await sender.send({ messages: [{ topic: name, partition: 0, key, value: value ?? null }] })
  }
  const got = (await read(name, 0, want.length)).map(({ key, value }) => [key, value])
  assert.deepEqual(got, want, 'keys and values')
}

function large (size) {
  const value = Buffer.alloc(size)
  for (let i = 0; i < size; i++) value[i] = i * 31 + Math.floor(i / 251)
  return value
}

async function sendLarge (name, size) {
  const { offsets } = await producer({ acks: -1, retries: 0 }).send({
    messages: [{ topic: name, partition: 0, value: large(size) }]
  })
  return offsets[0].offset
}

export async function message1mb () {
  const name = await topic('1mb')
  for (let i = 0n; i < 3n; i++) {
    assert.equal(await sendLarge(name, LARGEST_VALUE), i, 'offset')
  }
  const want = large(LARGEST_VALUE)
  for (const message of await read(name, 0, 3)) {
    assert.ok(message.value.equals(want), 'the bytes of a large value')
  }
}

export async function messageTooLarge () {
  const name = await topic('too-large')
  for (const size of [LARGEST_VALUE + 1, 2_500_000]) {
    await refused('MESSAGE_TOO_LARGE', sendLarge(name, size), `${size} bytes`)
  }
  assert.equal(await sendLarge(name, 10), 0n, 'the first offset after refusals')
}

export async function idempotentProduce () {
  const name = await topic('idempotent')
  await fill(name, 1000, 50, { idempotent: true })
  await checkFilled(name, 0, 1000, 50)
  // A second producer, with an id of its own.
  const sender = producer({ idempotent: true })
  const { offsets } = await sender.send({
    messages: [{ topic: name, partition: 0, value: Buffer.from('last') }]
  })
  assert.equal(offsets[0].offset, 1000n, 'next')
  assert.ok(sender.producerId >= 0n, 'a producer id')
}
