// SPDX-License-Identifier: Apache-2.0

// Package kit is what the Go suites share: names of this run, the data, assertions and the lines.
package kit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"time"
)

const (
	// Limit bounds each wait; a wait ends upon what it waits for.
	Limit = 30 * time.Second

	// LargestValue is message.max.bytes, 1048588, less a batch header of 61 and 11 of a lone
	// record's own.
	LargestValue = 1048588 - 61 - 11

	// TimeBase is the time, in milliseconds, of message 0; message i's is TimeBase + 1000 i.
	TimeBase = int64(1700000000000)
	// TimeAfter is after the last of a hundred messages.
	TimeAfter = TimeBase + 99001
)

// TimeCases are pairs: a time, and the offset of the first message of that time or later.
var TimeCases = [][2]int64{{TimeBase - 5, 0}, {TimeBase, 0}, {TimeBase + 44500, 45},
	{TimeBase + 45000, 45}, {TimeBase + 99000, 99}}

// Header is one header of a message; a nil value is not an empty one.
type Header struct {
	Key   string
	Value []byte
}

// Headers has an order, a key twice, and binary, empty and null values.
var Headers = []Header{{"first", []byte("one")}, {"binary", []byte{0, 1, 255}},
	{"empty", []byte{}}, {"null", nil}, {"first", []byte("again")}, {"\u00fcnicode", []byte("x")}}

// KeysValues are keys and values; a nil one is not an empty one.
var KeysValues = [][2][]byte{{nil, []byte("v")}, {[]byte("k"), nil}, {nil, nil}, {{}, {}},
	{[]byte("k"), []byte("v")}}

// Bootstrap is the broker's address.
func Bootstrap() string { return os.Getenv("BOOTSTRAP") }

// Name is one that no other run and no other test has.
func Name(what string) string { return os.Getenv("RUN_ID") + "-" + what }

// Value is message i's value: it compresses well and differs from its neighbours'.
func Value(i, pad int) []byte {
	out := []byte(fmt.Sprintf("%d.", i))
	for p := 0; p < pad; p++ {
		out = append(out, byte('a'+(i+p/8)%26))
	}
	return out
}

// Large is a value of that size.
func Large(size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(i*31 + i/251)
	}
	return out
}

// Same fails the test when the two differ.
func Same(want, got any, what string) {
	if !reflect.DeepEqual(want, got) {
		panic(fmt.Sprintf("%s: wanted %s, got %s", what, brief(want), brief(got)))
	}
}

func brief(thing any) string {
	text := fmt.Sprintf("%v", thing)
	if len(text) > 200 {
		return text[:200] + "..."
	}
	return text
}

// SameBytes fails the test when the two differ, nil from empty among them.
func SameBytes(want, got []byte, what string) {
	if !bytes.Equal(want, got) || (want == nil) != (got == nil) {
		panic(fmt.Sprintf("%s: wanted %.100q (nil: %t), got %.100q (nil: %t)", what, want,
			want == nil, got, got == nil))
	}
}

// Good fails the test upon an error.
func Good(err error, what string) {
	if err != nil {
		panic(what + ": " + err.Error())
	}
}

// Refused fails the test unless err is, or wraps, the wanted error.
func Refused(want, err error, what string) {
	if !errors.Is(err, want) {
		panic(fmt.Sprintf("%s: wanted the error '%v', got '%v'", what, want, err))
	}
}

// Becomes asks until the answer is the wanted one. A write is answered when the metadata log has
// it; a broker's reads show it once the broker has replayed that, a moment later.
func Becomes(want any, ask func() any, what string) {
	got := ask()
	for end := time.Now().Add(Limit); !reflect.DeepEqual(want, got) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
		got = ask()
	}
	Same(want, got, what)
}

// Test is a named function, which fails by a panic.
type Test struct {
	Name string
	Run  func()
}

// Run runs the tests, or the one that an argument names, a line each.
func Run(tests []Test) {
	for _, test := range tests {
		if len(os.Args) < 2 || os.Args[1] == test.Name {
			begin := time.Now()
			line := attempt(test)
			fmt.Printf("# %s: %.1f s\n%s\n", test.Name, time.Since(begin).Seconds(), line)
		}
	}
}

func attempt(test Test) (line string) {
	done := make(chan string)
	go func() {
		defer func() {
			if why := recover(); why != nil {
				fmt.Printf("%v\n%s", why, debug.Stack())
				done <- "not ok " + test.Name + " " +
					strings.Join(strings.Fields(fmt.Sprint(why)), " ")
			}
		}()
		test.Run()
		done <- "ok " + test.Name
	}()
	select {
	case line = <-done:
	case <-time.After(3 * Limit):
		line = "not ok " + test.Name + " no end within the limit"
	}
	return line
}
