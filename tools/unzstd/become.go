package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// packedBeside is the packed program that this one stands for, or "".
func packedBeside() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	if _, err := os.Stat(self + ".zst"); err != nil {
		return ""
	}
	return self + ".zst"
}

// become has the packed program run in the place of this one, with the same arguments and environment. It lies in memory while it runs, and
// where the kernel runs nothing from memory in a file without a name.
func become(packed string) error {
	program, err := inMemory(packed)
	if err == nil {
		err = run(program)
	}
	program, again := inFile(packed)
	if again == nil {
		again = run(program)
	}
	return fmt.Errorf("%s cannot be run, from memory: %w; from a file: %w", packed, err, again)
}

// run returns only when it could not be started.
func run(program *os.File) error {
	defer program.Close()
	return syscall.Exec(fmt.Sprintf("/proc/self/fd/%d", program.Fd()), os.Args, os.Environ())
}

func inMemory(packed string) (*os.File, error) {
	name := filepath.Base(packed)
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		// Before Linux 6.3 there is no such word, and nothing to ask for.
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, err
	}
	program := os.NewFile(uintptr(fd), name)
	if err := unpackTo(packed, program); err != nil {
		program.Close()
		return nil, err
	}
	return program, nil
}

func inFile(packed string) (*os.File, error) {
	file, err := os.CreateTemp("", "trustkern-program-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	if err := errors.Join(unpackTo(packed, file), file.Chmod(0o500), file.Close()); err != nil {
		return nil, err
	}
	// A file that is open for writing is not run.
	return os.Open(file.Name())
}

func unpackTo(packed string, to io.Writer) error {
	from, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer from.Close()
	decoder, err := decoderOf(from)
	if err != nil {
		return err
	}
	defer decoder.Close()
	_, err = io.Copy(to, decoder)
	return err
}
