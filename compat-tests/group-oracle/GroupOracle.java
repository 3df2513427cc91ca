// SPDX-License-Identifier: Apache-2.0
// Kafka's side of the group oracle: its own assignors, HashMaps and RE2/J over random input, beside ours (peer.c).
//
//     GroupOracle PEER ROUNDS SEED
//
// Assignors: a group lives through some rounds, in which members and topics come and go, and each target becomes what
// the members have, as in the group coordinator. Targets must agree to the order of their lists.
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.*;
import org.apache.kafka.coordinator.group.modern.*;
import org.apache.kafka.coordinator.group.streams.assignor.AssignmentMemberSpec;
import org.apache.kafka.coordinator.group.streams.assignor.StickyTaskAssignor;
import org.apache.kafka.coordinator.group.streams.assignor.TopologyDescriber;

public class GroupOracle {
    static BufferedReader in;
    static Writer out;
    static Random random;
    static int differences, narrower;

    static String ask(String question) throws IOException {
        out.write(question);
        out.flush();
        return in.readLine();
    }

    static void compare(String what, String theirs, String ours) {
        if (theirs.equals(ours))
            return;
        if (++differences <= 20)
            System.out.println("DIFFERS " + what + "\n  kafka: " + theirs + "\n  ours:  " + ours);
    }

    // ---- assignors

    record Topic(Uuid id, int partitions) { }

    record Member(String id, String instance, Set<Uuid> subscribed) { }

    static Map<Uuid, Set<Integer>> asRecord(Map<Uuid, Set<Integer>> assignment) {
        return assignment.entrySet().stream().collect(
            Collectors.toMap(Map.Entry::getKey, e -> new HashSet<>(new ArrayList<>(e.getValue()))));
    }

    static String hex(Uuid id) {
        return String.format("%016x%016x", id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    static void group(int rounds) throws IOException {
        boolean range = random.nextInt(4) == 0, homogeneous = random.nextBoolean();
        List<Topic> topics = new ArrayList<>();
        Map<String, Member> members = new LinkedHashMap<>();
        Map<String, Map<Uuid, Set<Integer>>> targets = new HashMap<>();
        Set<Uuid> all = new LinkedHashSet<>();
        for (int round = 0; round < rounds; round++) {
            for (int n = random.nextInt(topics.isEmpty() ? 12 : 3); n > 0; n--)
                topics.add(new Topic(Uuid.randomUuid(), 1 + random.nextInt(random.nextInt(8) == 0 ? 100 : 12)));
            if (!topics.isEmpty() && random.nextInt(3) == 0) {
                int at = random.nextInt(topics.size());
                topics.set(at, new Topic(topics.get(at).id, topics.get(at).partitions + 1 + random.nextInt(5)));
            }
            if (random.nextInt(2) == 0 || round == 0) {
                all = new LinkedHashSet<>();
                for (Topic topic : topics)
                    if (random.nextInt(4) != 0) all.add(topic.id);
            }
            for (Iterator<String> it = members.keySet().iterator(); it.hasNext();) {
                String id = it.next();
                if (random.nextInt(8) == 0) {
                    it.remove();
                    targets.remove(id);
                }
            }
            for (int n = random.nextInt(members.isEmpty() ? 20 : 5); n > 0; n--) {
                String id = Uuid.randomUuid().toString();
                members.put(id, new Member(id, random.nextInt(4) == 0 ? "i" + random.nextInt(1000000) : null, all));
            }
            for (Map.Entry<String, Member> e : members.entrySet()) {
                Set<Uuid> subscribed = all;
                if (!homogeneous) {
                    subscribed = new LinkedHashSet<>();
                    int share = random.nextInt(3);
                    for (Topic topic : topics)
                        if (random.nextInt(3) <= share) subscribed.add(topic.id);
                }
                e.setValue(new Member(e.getKey(), e.getValue().instance, subscribed));
            }
            assign(range, homogeneous, topics, members, targets);
        }
    }

    static void assign(boolean range, boolean homogeneous, List<Topic> topics, Map<String, Member> members,
                       Map<String, Map<Uuid, Set<Integer>>> targets) throws IOException {
        Map<String, MemberSubscriptionAndAssignmentImpl> specs = new HashMap<>();
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        Map<Uuid, Integer> places = new HashMap<>(), counts = new HashMap<>();
        for (Topic topic : topics) {
            places.put(topic.id, places.size());
            counts.put(topic.id, topic.partitions);
        }
        for (Member m : members.values()) {
            Map<Uuid, Set<Integer>> had = targets.getOrDefault(m.id, Map.of());
            specs.put(m.id, new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.ofNullable(m.instance),
                m.subscribed, had.isEmpty() ? Assignment.EMPTY : new Assignment(had)));
            had.forEach((id, partitions) -> partitions.forEach(
                p -> inverted.computeIfAbsent(id, k -> new HashMap<>()).put(p, m.id)));
        }
        StringBuilder question = new StringBuilder(String.format("A %s %d %d %d\n", range ? "range" : "uniform",
            homogeneous ? 1 : 0, topics.size(), specs.size()));
        for (Topic topic : topics)
            question.append(hex(topic.id)).append(' ').append(topic.partitions).append('\n');
        for (String id : specs.keySet()) {
            Member m = members.get(id);
            question.append(id).append(' ').append(m.instance == null ? "-" : m.instance).append(' ')
                .append(m.subscribed.size()).append(' ').append(m.subscribed.size());
            m.subscribed.forEach(s -> question.append(' ').append(places.get(s)));
            question.append(' ').append(line(targets.getOrDefault(id, Map.of()), places)).append('\n');
        }
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            @Override public int numPartitions(Uuid id) {
                return counts.getOrDefault(id, -1);
            }

            @Override public Set<String> racksForPartition(Uuid id, int partition) {
                return Set.of();
            }
        };
        GroupSpec spec = new GroupSpecImpl(specs,
            homogeneous ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS, inverted);
        GroupAssignment made = (range ? new RangeAssignor() : new UniformAssignor()).assign(spec, describer);
        String theirs = specs.keySet().stream().map(id -> {
            MemberAssignment a = made.members().get(id);
            return line(a == null ? Map.of() : a.partitions(), places);
        }).collect(Collectors.joining(" | "));
        String ours = specs.isEmpty() ? ask(question.toString()) : ask(question.toString());
        compare(question.toString(), theirs, ours);
        targets.clear();
        for (String id : specs.keySet()) {
            MemberAssignment a = made.members().get(id);
            targets.put(id, a == null ? Map.of() : asRecord(a.partitions()));
        }
    }

    static String line(Map<Uuid, Set<Integer>> assignment, Map<Uuid, Integer> places) {
        StringBuilder text = new StringBuilder().append(assignment.size());
        assignment.forEach((id, partitions) -> {
            text.append(' ').append(places.get(id)).append(' ').append(partitions.size());
            partitions.forEach(p -> text.append(' ').append(p));
        });
        return text.toString();
    }

    // ---- tasks of streams groups

    record Tasks(Map<String, Set<Integer>> active, Map<String, Set<Integer>> standby) { }

    static void streams(int rounds) throws IOException {
        SortedMap<String, Integer> counts = new TreeMap<>();
        Set<String> stateful = new HashSet<>();
        for (int n = 1 + random.nextInt(12), i = 0; i < n; i++) {
            counts.put(Integer.toString(i), 1 + random.nextInt(9));
            if (random.nextBoolean()) stateful.add(Integer.toString(i));
        }
        TopologyDescriber describer = new TopologyDescriber() {
            @Override public List<String> subtopologies() {
                return counts.keySet().stream().toList();
            }

            @Override public int maxNumInputPartitions(String id) {
                return counts.get(id);
            }

            @Override public boolean isStateful(String id) {
                return stateful.contains(id);
            }
        };
        Map<String, String> processes = new LinkedHashMap<>();
        Map<String, Tasks> targets = new HashMap<>();
        int standbys = random.nextInt(3);
        for (int round = 0; round < rounds; round++) {
            for (Iterator<String> it = processes.keySet().iterator(); it.hasNext();) {
                String id = it.next();
                if (random.nextInt(6) == 0) {
                    it.remove();
                    targets.remove(id);
                }
            }
            List<String> known = new ArrayList<>(processes.values());
            for (int n = 1 + random.nextInt(processes.isEmpty() ? 8 : 4); n > 0; n--)
                processes.put(Uuid.randomUuid().toString(), known.isEmpty() || random.nextBoolean()
                    ? Uuid.randomUuid().toString() : known.get(random.nextInt(known.size())));
            if (random.nextInt(5) == 0)
                standbys = random.nextInt(3);
            assignTasks(counts, stateful, describer, processes, targets, standbys);
        }
    }

    static void assignTasks(SortedMap<String, Integer> counts, Set<String> stateful, TopologyDescriber describer,
                            Map<String, String> processes, Map<String, Tasks> targets, int standbys) throws IOException {
        // As the coordinator makes it; in a bucket of the table, by id.
        Map<String, AssignmentMemberSpec> specs = new HashMap<>();
        for (String id : new TreeSet<>(processes.keySet())) {
            Tasks had = targets.getOrDefault(id, new Tasks(Map.of(), Map.of()));
            specs.put(id, new AssignmentMemberSpec(Optional.empty(), Optional.empty(), had.active, had.standby, Map.of(),
                processes.get(id), Map.of(), Map.of(), Map.of()));
        }
        StringBuilder question = new StringBuilder(
            String.format("S %d %d %d\n", standbys, counts.size(), specs.size()));
        counts.forEach((id, count) -> question.append(
            String.format("%s %d %d\n", id, count, stateful.contains(id) ? 1 : 0)));
        specs.forEach((id, spec) -> question.append(id).append(' ').append(spec.processId()).append(' ')
            .append(line(spec.activeTasks())).append(' ').append(line(spec.standbyTasks())).append('\n'));
        var made = new StickyTaskAssignor().assign(
            new org.apache.kafka.coordinator.group.streams.assignor.GroupSpecImpl(specs,
                Map.of("num.standby.replicas", Integer.toString(standbys))), describer).members();
        compare(question.toString(), specs.keySet().stream().map(id -> line(made.get(id).activeTasks()) + " "
            + line(made.get(id).standbyTasks())).collect(Collectors.joining(" | ")), ask(question.toString()));
        targets.clear();
        made.forEach((id, tasks) -> targets.put(id, new Tasks(tasks.activeTasks(), tasks.standbyTasks())));
    }

    static String line(Map<String, Set<Integer>> tasks) {
        int count = tasks.values().stream().mapToInt(Set::size).sum();
        return count + new TreeMap<>(tasks).entrySet().stream().flatMap(e -> e.getValue().stream().sorted()
            .map(p -> " " + e.getKey() + " " + p)).collect(Collectors.joining());
    }

    // ---- Java's order

    static void order() throws IOException {
        List<String> texts = new ArrayList<>(new LinkedHashSet<>(IntStream.range(0, random.nextInt(200))
            .mapToObj(i -> Integer.toString(random.nextInt(100000), 36)).toList()));
        Set<String> grown = new HashSet<>();
        grown.addAll(texts.subList(0, 0));
        texts.forEach(grown::add);
        String joined = String.join(" ", texts);
        compare("O g " + joined, String.join(" ", grown), ask("O g " + joined + "\n"));
        compare("O c " + joined, String.join(" ", new HashSet<>(texts)), ask("O c " + joined + "\n"));
    }

    // ---- expressions

    static final String[] PIECES = {
        "a", "b", "ab", "-", "_", "\\.", ".", "foo", "1", "K", "s", "(", ")", "(?:", "(?i)", "(?i:", "(?P<n>", "(?<m>",
        "(?-i)", "(?s", "(?", "[", "]", "[a-c]", "[^a]", "[[:alpha:]]", "[[:^digit:]]", "[[:foo:]]", "[\\d-z]", "[a-",
        "[]a]", "[^]]", "\\d", "\\D", "\\w", "\\W", "\\s", "\\pL", "\\PL", "\\p{Lu}", "\\p{^Ll}", "\\p{Greek}", "\\pX",
        "\\p{Foo}", "*", "+", "?", "{2}", "{2,}", "{0,3}", "{3,2}", "{,2}", "{1001}", "{", "}", "|", "^", "$", "\\A",
        "\\z", "\\Z", "\\b", "\\B", "\\x41", "\\x{61}", "\\x{110000}", "\\xg", "\\101", "\\1", "\\8", "\\07", "\\n",
        "\\Qa.b\\E", "\\Q", "\\E", "\\", "\\-", "\\_", "\u00e9", "\u212a", "\u017f", "\ud83d\ude00", "z-a", "a-z", "**",
        "(a|b)", "(a*)*", ".*", ".+", "(?=a)", "(?P=n)", "(?#c)", "(?U)", "(?ims-U:a)", "[K-k]", "(?i)[\u017f]" };
    static final String NAMES = "abABkKsS019._-f";

    static String name() {
        StringBuilder name = new StringBuilder();
        for (int n = 1 + random.nextInt(7); n > 0; n--)
            name.append(NAMES.charAt(random.nextInt(NAMES.length())));
        return name.toString();
    }

    static void regex() throws IOException {
        StringBuilder made = new StringBuilder();
        for (int n = 1 + random.nextInt(8); n > 0; n--)
            made.append(PIECES[random.nextInt(PIECES.length)]);
        String pattern = made.toString(), theirs;
        List<String> names = new ArrayList<>(List.of("a", "b", "ab", "foo", "a.b", "k", "s", "aa", "aab"));
        for (int n = 0; n < 40; n++)
            names.add(name());
        try {
            Pattern compiled = Pattern.compile(pattern);
            theirs = names.stream().map(n -> compiled.matcher(n).matches() ? "1" : "0").collect(Collectors.joining());
        } catch (PatternSyntaxException e) {
            theirs = "E " + e.getDescription();
        }
        StringBuilder question = new StringBuilder("R ");
        for (byte b : pattern.getBytes(StandardCharsets.UTF_8))
            question.append(String.format("%02x", b));
        String ours = ask(question + " " + String.join(" ", names) + "\n");
        if (ours.equals("E expression is too large") && !theirs.startsWith("E"))
            narrower++;
        else
            compare("R " + pattern, theirs, ours);
    }

    public static void main(String[] args) throws Exception {
        Process peer = new ProcessBuilder(args[0]).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        in = new BufferedReader(new InputStreamReader(peer.getInputStream(), StandardCharsets.UTF_8));
        out = new OutputStreamWriter(peer.getOutputStream(), StandardCharsets.UTF_8);
        int rounds = Integer.parseInt(args[1]);
        random = new Random(Long.parseLong(args[2]));
        for (int i = 0; i < rounds; i++)
            group(6);
        for (int i = 0; i < rounds; i++)
            streams(6);
        for (int i = 0; i < rounds; i++)
            order();
        for (int i = 0; i < 20 * rounds; i++)
            regex();
        out.close();
        peer.waitFor();
        System.out.printf("%d groups and as many of Kafka Streams, %d orders, %d expressions (%d too large for us): %d differences%n", rounds,
            2 * rounds, 20 * rounds, narrower, differences);
        System.exit(differences == 0 && peer.exitValue() == 0 ? 0 : 1);
    }
}
