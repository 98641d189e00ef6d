"""The pages that people open in a browser."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
