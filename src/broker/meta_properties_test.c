// SPDX-License-Identifier: Apache-2.0
#include "broker/meta_properties.h"

#include <errno.h>

#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"

static char folder[200];

static char *in_folder(const char *name)
{
    static char paths[4][300];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_meta(const char *dir, const char *text)
{
    char path[400];
    CU_ASSERT_EQUAL(disk_mkdirs(disk_posix(), in_folder(dir)), 0);
    snprintf(path, sizeof path, "%s/meta.properties", in_folder(dir));
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), path, text, strlen(text)), 0);
}

static struct config *config_of(const char *dirs, const char *metadata_dir)
{
    struct config *config = config_new();
    struct strbuf message = STRBUF_EMPTY;
    config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of("node.id"), str_of("1"), &message);
    config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of("log.dirs"), str_of(dirs), &message);
    if (metadata_dir != NULL)
        config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of("metadata.log.dir"),
                   str_of(metadata_dir), &message);
    CU_ASSERT_EQUAL(message.size, 0);
    strbuf_fini(&message);
    return config;
}

static const char jvm_file[] = "#\n#Sat Nov 21 03:37:26 UTC 2026\nnode.id=1\n"
                               "directory.id=l9STV7xARS6eq1SWrxyYdQ\nversion=1\n"
                               "cluster.id=MkU3OEVBNTcwNTJENDM2Qk\n";

static void a_jvm_brokers_file_is_read_and_written_back(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    struct meta_properties meta;
    struct strbuf message = STRBUF_EMPTY, text = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(meta_properties_read(disk_posix(), in_folder("a"), &meta, &message), -ENOENT);
    write_meta("a", jvm_file);
    CU_ASSERT_EQUAL(meta_properties_read(disk_posix(), in_folder("a"), &meta, &message), 0);
    CU_ASSERT_STRING_EQUAL(meta.cluster_id, "MkU3OEVBNTcwNTJENDM2Qk");
    CU_ASSERT_EQUAL(meta.node_id, 1);
    char id[UUID_TEXT_SIZE];
    uuid_format(meta.directory_id, id);
    CU_ASSERT_STRING_EQUAL(id, "l9STV7xARS6eq1SWrxyYdQ");
    CU_ASSERT_EQUAL(meta_properties_write(disk_posix(), in_folder("a"), &meta, 1795232246000), 0);
    CU_ASSERT_EQUAL(disk_read_whole(disk_posix(), in_folder("a/meta.properties"), &text), 0);
    CU_ASSERT_STRING_EQUAL(text.data, jvm_file);
    meta_properties_fini(&meta);
    strbuf_fini(&text);
    strbuf_fini(&message);
    disk_remove_tree(disk_posix(), folder);
}

static void keys_that_we_do_not_know_are_kept(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    struct meta_properties meta = { (char *)"c", 4, UUID_ZERO };
    struct strbuf text = STRBUF_EMPTY;
    write_meta("a", "version=1\nnode.id=3\nx.y=z\ncluster.id=c\n");
    CU_ASSERT_EQUAL(meta_properties_write(disk_posix(), in_folder("a"), &meta, 0), 0);
    CU_ASSERT_EQUAL(disk_read_whole(disk_posix(), in_folder("a/meta.properties"), &text), 0);
    CU_ASSERT_STRING_EQUAL(text.data, "#\n#Thu Jan 01 00:00:00 UTC 1970\nversion=1\nnode.id=4\n"
                                      "x.y=z\ncluster.id=c\n");
    strbuf_fini(&text);
    disk_remove_tree(disk_posix(), folder);
}

// What reading it says after the path.
static const char *said(const char *text)
{
    static char shown[300];
    struct meta_properties meta;
    struct strbuf message = STRBUF_EMPTY;
    write_meta("a", text);
    CU_ASSERT_EQUAL(meta_properties_read(disk_posix(), in_folder("a"), &meta, &message), -EBADMSG);
    snprintf(shown, sizeof shown, "%s", message.data + strlen(in_folder("a/meta.properties")) + 2);
    strbuf_fini(&message);
    return shown;
}

static void what_is_wrong_is_said(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    CU_ASSERT_STRING_EQUAL(said("broker.id=0\nversion=0\n"),
                           "version 0: the directory was formatted for a cluster with ZooKeeper");
    CU_ASSERT_STRING_EQUAL(said("version=7\n"), "Unknown meta.properties version number 7");
    CU_ASSERT_STRING_EQUAL(said("version=1\ncluster.id=c\n"), "node.id was not found.");
    CU_ASSERT_STRING_EQUAL(said("version=1\nnode.id=1\n"), "cluster.id was not found.");
    CU_ASSERT_STRING_EQUAL(said("version=1\nnode.id=1\ncluster.id=c\ndirectory.id=!\n"),
                           "Unable to read directory.id as a Uuid: !");
    CU_ASSERT_STRING_EQUAL(
        said("version=1\nnode.id=1\ncluster.id=c\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAg\n"),
        "Invalid reserved directory ID AAAAAAAAAAAAAAAAAAAAAg");
    disk_remove_tree(disk_posix(), folder);
}

static void directories_must_agree(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    char dirs[600];
    struct node_identity identity;
    struct strbuf message = STRBUF_EMPTY;
    snprintf(dirs, sizeof dirs, "%s,%s", in_folder("b"), in_folder("a"));
    struct config *config = config_of(dirs, NULL);
    write_meta("a", jvm_file);
    CU_ASSERT_TRUE(node_identity_load(disk_posix(), config, NULL, &identity, &message));
    CU_ASSERT_EQUAL(identity.count, 2);
    CU_ASSERT_EQUAL(identity.formatted_count, 1);
    CU_ASSERT_EQUAL(identity.dirs[1].error, -ENOENT);
    CU_ASSERT_TRUE(identity.dirs[1].is_metadata && !identity.dirs[0].is_metadata);
    // A directory that was added has to be formatted.
    CU_ASSERT_FALSE(node_identity_complete(disk_posix(), &identity, 0, &message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message.data, "No `meta.properties` found in "));
    strbuf_fini(&message);
    message = STRBUF_EMPTY;
    CU_ASSERT_STRING_EQUAL(identity.cluster_id, "MkU3OEVBNTcwNTJENDM2Qk");
    node_identity_fini(&identity);

    static const struct {
        const char *file, *expected;
    } tries[] = {
        { "version=1\nnode.id=1\ncluster.id=other\n", "Invalid cluster.id in: " },
        { "version=1\nnode.id=2\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\n",
          "Stored node id 2 doesn't match previous node id 1 in " },
        { jvm_file, "Duplicate directory ID l9STV7xARS6eq1SWrxyYdQ found." },
    };
    for (size_t i = 0; i < 3; i++) {
        write_meta("b", tries[i].file);
        CU_ASSERT_FALSE(node_identity_load(disk_posix(), config, NULL, &identity, &message));
        CU_ASSERT_EQUAL(strncmp(message.data, tries[i].expected, strlen(tries[i].expected)), 0);
        strbuf_fini(&message);
        message = STRBUF_EMPTY;
        node_identity_fini(&identity);
    }
    config_free(config);
    disk_remove_tree(disk_posix(), folder);
}

// The metadata log's must be there; without another the node goes on.
static void a_directory_that_cannot_be_read_is_left_out(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    char dirs[900];
    struct node_identity identity;
    struct strbuf message = STRBUF_EMPTY;
    snprintf(dirs, sizeof dirs, "%s,%s,%s", in_folder("a"), in_folder("b"), in_folder("c"));
    struct config *config = config_of(dirs, NULL);
    write_meta("a", jvm_file);
    write_meta("b", "version=nonsense\n");
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), in_folder("c"), "a file", 6), 0);
    CU_ASSERT_TRUE(node_identity_load(disk_posix(), config, NULL, &identity, &message));
    CU_ASSERT_EQUAL(identity.formatted_count, 1);
    CU_ASSERT_EQUAL(identity.dirs[1].error, -EBADMSG);
    CU_ASSERT_EQUAL(identity.dirs[2].error, -ENOTDIR);
    CU_ASSERT_TRUE(node_identity_complete(disk_posix(), &identity, 0, &message));
    CU_ASSERT_EQUAL(message.size, 0);
    node_identity_fini(&identity);
    write_meta("a", "version=nonsense\n");
    CU_ASSERT_FALSE(node_identity_load(disk_posix(), config, NULL, &identity, &message));
    strbuf_fini(&message);
    node_identity_fini(&identity);
    config_free(config);
    disk_remove_tree(disk_posix(), folder);
}

static void nothing_formatted_is_refused_at_start(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    struct node_identity identity;
    struct strbuf message = STRBUF_EMPTY;
    struct config *config = config_of(in_folder("a"), in_folder("m"));
    CU_ASSERT_TRUE(node_identity_load(disk_posix(), config, NULL, &identity, &message));
    CU_ASSERT_EQUAL(identity.count, 2);
    CU_ASSERT_TRUE(node_identity_find(&identity, in_folder("m"))->is_metadata);
    CU_ASSERT_FALSE(node_identity_complete(disk_posix(), &identity, 0, &message));
    CU_ASSERT_STRING_EQUAL(message.data, "log.dirs: No readable meta.properties files found.");
    CU_ASSERT_FALSE(disk_exists(disk_posix(), in_folder("a")));
    strbuf_fini(&message);
    node_identity_fini(&identity);
    config_free(config);
    disk_remove_tree(disk_posix(), folder);
}

TEST_MAIN("meta_properties", TEST(a_jvm_brokers_file_is_read_and_written_back),
          TEST(keys_that_we_do_not_know_are_kept), TEST(what_is_wrong_is_said),
          TEST(directories_must_agree), TEST(a_directory_that_cannot_be_read_is_left_out),
          TEST(nothing_formatted_is_refused_at_start))
