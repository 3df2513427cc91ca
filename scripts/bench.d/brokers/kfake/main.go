// SPDX-License-Identifier: Apache-2.0

// franz-go's fake cluster as a broker of its own: kfake PORT, until it is told to end.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	port, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err == nil {
		var cluster *kfake.Cluster
		if cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port)); err == nil {
			defer cluster.Close()
			end := make(chan os.Signal, 1)
			signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
			<-end
			return
		}
	}
	fmt.Fprintln(os.Stderr, "kfake:", err)
	os.Exit(1)
}
