"""The doors for programs: one module for each subject."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
