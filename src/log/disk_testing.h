// SPDX-License-Identifier: Apache-2.0
// A disk in memory for tests, with what real ones do to people: it fails at the n-th call, writes less than it was
// given, and forgets what was not synced when the power goes.
//
//     struct memory_disk *disk = memory_disk_new(seed);
//     disk->fail_at = 17; disk->fail_with = -ENOSPC;     // the 17th call that changes something, once
//     … struct disk *d = &disk->disk; …
//     memory_disk_crash(disk);                           // power loss: open files become useless
//
// A power loss keeps: of a file the synced content, of later writes each 512-byte sector or not, of a later size any
// between; of a folder the entries as of its last sync_dir, and any first part of the changes since.
#ifndef LOG_DISK_TESTING_H
#define LOG_DISK_TESTING_H

#include "base/disk.h"

struct memory_disk {
    struct disk disk; // first
    // Calls that change something are counted: writes, truncations, syncs, names.
    uint64_t calls;
    uint64_t fail_at;  // 0: never
    int fail_with;     // that call's answer
    bool stays_broken; // all later calls answer -EIO
    bool short_writes; // every write takes a random part of what it is given
    bool is_behind;    // what it says of itself
    uint64_t syncs;    // of files
    void (*on_sync)(
        void *arg); // NULL, or called as each sync of a file begins: what others do meanwhile
    void *sync_arg;
    struct memory_inode **_inodes;
    size_t _inode_count, _inode_capacity;
    struct memory_name *_names;
    size_t _name_count, _name_capacity;
    struct memory_change *_changes; // of names, not yet synced, in order
    size_t _change_count, _change_capacity;
    uint64_t _random;
    uint64_t _generation; // open files of an earlier one are dead
};

struct memory_disk *memory_disk_new(uint64_t seed);
void memory_disk_free(struct memory_disk *disk);
// The power goes and comes back. Faults are off afterwards.
void memory_disk_crash(struct memory_disk *disk);
// Only the process died: nothing is lost, faults are off.
void memory_disk_restart(struct memory_disk *disk);
uint64_t memory_disk_random(struct memory_disk *disk);
// The bytes of a file, for damaging them; NULL when missing.
uint8_t *memory_disk_content(struct memory_disk *disk, const char *path, size_t *size);

#endif
