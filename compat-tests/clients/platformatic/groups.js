// SPDX-License-Identifier: Apache-2.0
// Consumer groups: positions that outlive a consumer, members, and their administration.
import assert from 'node:assert/strict'
import { admin, becomes, consumer, fill, name, refused, take, topic } from './kit.js'

const resuming = topic => ({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' })

async function committed (one, topic) {
  const offsets = await one.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] })
  return offsets.get(topic)[0]
}

export async function commitResume () {
  const resumed = await topic('resume')
  const groupId = name('resume-group')
  await fill(resumed, 100, 10)
  let member = consumer({ groupId })
  assert.equal(await committed(member, resumed), -1n, 'before')
  let stream = await member.consume(resuming(resumed))
  const first = await take(stream, 40)
  assert.deepEqual(first.map(one => one.offset), Array.from({ length: 40 }, (_, i) => BigInt(i)))
  await first[39].commit()
  assert.equal(await committed(member, resumed), 40n, 'committed')
  await stream.close()
  await member.close()

  member = consumer({ groupId })
  stream = await member.consume(resuming(resumed))
  const rest = await take(stream, 60)
  assert.equal(rest[0].offset, 40n, 'where it goes on')
  assert.equal(rest[59].offset, 99n, 'the end')
  await rest[59].commit()
  assert.equal(await committed(member, resumed), 100n, 'end')
  await stream.close()
  await member.close()
}

const owned = member => (member.assignments ?? []).reduce((sum, one) => sum + one.partitions.length, 0)

export async function balance () {
  const shared = await topic('balance', 6)
  const groupId = name('balance-group')
  const members = []
  const settle = want => becomes(members.map(() => want).join(),
    () => members.map(owned).join(), 'partitions of each member')
  for (const want of [6, 3, 2]) {
    const member = consumer({ groupId })
    const stream = await member.consume(resuming(shared))
    stream.on('data', () => {})
    members.push(member)
    await settle(want)
  }
  for (const want of [3, 6]) {
    await members.pop().close(true)
    await settle(want)
  }
}

export async function administration () {
  const topicName = await topic('groups')
  const group = name('group')
  await fill(topicName, 5, 5)
  const asker = admin()
  const describe = async () => (await asker.describeGroups({ groups: [group] })).get(group)
  const member = consumer({ groupId: group, clientId: 'node-suite' })
  const stream = await member.consume(resuming(topicName))
  const [message] = await take(stream, 1)
  await message.commit()

  const listed = (await asker.listGroups()).get(group)
  assert.equal(listed.state, 'STABLE', 'state, listed')
  assert.equal(listed.protocolType, 'consumer', 'protocol type, listed')
  let described = await describe()
  assert.equal(described.state, 'STABLE', 'state')
  assert.equal(described.protocol, 'roundrobin', 'protocol')
  assert.equal(described.members.size, 1, 'members')
  const [first] = described.members.values()
  assert.equal(first.clientId, 'node-suite', 'client id')
  assert.equal(first.clientHost, '/127.0.0.1', 'host')
  assert.deepEqual(first.assignments.get(topicName), { topic: topicName, partitions: [0] })
  await refused('NON_EMPTY_GROUP', asker.deleteGroups({ groups: [group] }), 'while it lives')

  await stream.close()
  await member.close()
  described = await describe()
  assert.equal(described.state, 'EMPTY', 'state when all left')
  assert.equal(described.members.size, 0, 'members when all left')
  await asker.deleteGroups({ groups: [group] })
  assert.ok(!(await asker.listGroups()).has(group), 'still listed')
  await refused('GROUP_ID_NOT_FOUND', asker.deleteGroups({ groups: [group] }), 'delete of no group')
}
