// Command unzstd writes to standard output what a zstd stream on standard input holds: for machines that have tar and no zstd.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Version is set by the linker to that of the zstd module.
var Version = "unset"

// maxWindow is the largest window of a bundle's segments: 128 MiB.
const maxWindow = 1 << 27

func main() {
	version := flag.Bool("version", false, "say which version this is")
	flag.Parse()
	if *version {
		fmt.Println("unzstd", Version)
		return
	}
	if err := unpack(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "unzstd:", err)
		os.Exit(1)
	}
}

func unpack(from io.Reader, to io.Writer) error {
	decoder, err := zstd.NewReader(bufio.NewReaderSize(from, 1<<20), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return err
	}
	defer decoder.Close()
	_, err = io.Copy(to, decoder)
	return err
}
