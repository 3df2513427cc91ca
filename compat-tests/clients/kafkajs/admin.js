// SPDX-License-Identifier: Apache-2.0
// Topics, partitions and configs by the admin client, and what it is refused.
import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { admin, becomes, checkFilled, fill, name, refused, topic } from './kit.js'

const { ConfigResourceTypes, ConfigSource } = kafkajs

async function partitions (asker, topic) {
  const { topics } = await asker.fetchTopicMetadata({ topics: [topic] })
  for (const { leader, replicas, isr } of topics[0].partitions) {
    assert.deepEqual([leader, replicas, isr], [1, [1], [1]], 'leader, replicas, in-sync')
  }
  return topics[0].partitions.length
}

export async function topics () {
  const topicName = name('admin')
  const other = name('other')
  const asker = await admin()
  const create = (topic, settings, validateOnly = false) => asker.createTopics({
    validateOnly,
    waitForLeaders: false,
    topics: [{ topic, numPartitions: 4, replicationFactor: 1, ...settings }]
  })
  const config = (name, value) => ({ configEntries: [{ name, value }] })
  const listed = async topic => (await asker.listTopics()).includes(topic)
  assert.equal(await create(topicName), true, 'created')
  await becomes(true, () => listed(topicName), 'listed')
  assert.equal(await partitions(asker, topicName), 4, 'partitions')
  // The client makes `false` of TOPIC_ALREADY_EXISTS.
  assert.equal(await create(topicName), false, 'created again')
  await refused('INVALID_TOPIC_EXCEPTION', create('bad name!'), 'a bad name')
  await refused('INVALID_PARTITIONS', create(other, { numPartitions: 0 }), 'no partitions')
  await refused('INVALID_REPLICATION_FACTOR', create(other, { replicationFactor: 2 }), 'replicas')
  await refused('INVALID_CONFIG', create(other, config('retention.ms', 'soon')), 'a bad value')
  await refused('INVALID_CONFIG', create(other, config('no.such.key', '1')), 'no such key')
  assert.equal(await create(other, {}, true), true, 'validate only')
  assert.equal(await listed(other), false, 'only validated, but there')

  await asker.deleteTopics({ topics: [topicName] })
  await becomes(false, () => listed(topicName), 'deleted, but listed')
  const once = await admin({ retries: 0 })
  await refused('UNKNOWN_TOPIC_OR_PARTITION', once.deleteTopics({ topics: [topicName] }),
    'delete of no topic')
  // The name is free again, and what was in the old topic is not in the new one.
  await topic('admin')
  await fill(topicName, 5, 5)
  await checkFilled(topicName, 0, 5, 5)
}

export async function createPartitions () {
  const topicName = await topic('grow', 2)
  const asker = await admin()
  const grow = (topic, count) => asker.createPartitions({ topicPartitions: [{ topic, count }] })
  await grow(topicName, 5)
  await becomes(5, () => partitions(asker, topicName), 'partitions')
  await refused('INVALID_PARTITIONS', grow(topicName, 3), 'fewer')
  await refused('INVALID_PARTITIONS', grow(topicName, 5), 'as many')
  await refused('UNKNOWN_TOPIC_OR_PARTITION', grow(name('none'), 5), 'no topic')
}

export async function configs () {
  const topicName = await topic('configs')
  const asker = await admin()
  const type = ConfigResourceTypes.TOPIC
  const get = async (topic, key) => {
    const { resources } = await asker.describeConfigs({
      includeSynonyms: false, resources: [{ type, name: topic, configNames: [key] }]
    })
    const [{ configEntries }] = resources
    assert.deepEqual(configEntries.map(one => one.configName), [key], 'only the key asked for')
    return `${configEntries[0].configValue} of ${configEntries[0].configSource}`
  }
  // AlterConfigs sets the whole: what is not named goes back to its default.
  const set = (topic, name, value) => asker.alterConfigs({
    validateOnly: false, resources: [{ type, name: topic, configEntries: [{ name, value }] }]
  })
  const valueBecomes = (key, value, source) =>
    becomes(`${value} of ${source}`, () => get(topicName, key), key)
  await valueBecomes('retention.ms', '604800000', ConfigSource.DEFAULT_CONFIG)
  await set(topicName, 'retention.ms', '12345')
  await valueBecomes('retention.ms', '12345', ConfigSource.TOPIC_CONFIG)
  for (const [key, bad] of [['retention.ms', 'soon'], ['cleanup.policy', 'burn'], ['no.such.key', '1']]) {
    await refused('INVALID_CONFIG', set(topicName, key, bad), `${key}=${bad}`)
  }
  await set(topicName, 'cleanup.policy', 'compact')
  await valueBecomes('cleanup.policy', 'compact', ConfigSource.TOPIC_CONFIG)
  await valueBecomes('retention.ms', '604800000', ConfigSource.DEFAULT_CONFIG)
  const unknown = 'UNKNOWN_TOPIC_OR_PARTITION'
  await refused(unknown, set(name('none'), 'retention.ms', '1'), 'no topic')
  await refused(unknown, get(name('none'), 'retention.ms'), 'describe of no topic')
}
